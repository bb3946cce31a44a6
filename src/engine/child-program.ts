import type { Duplex, Readable, Writable } from 'node:stream';
import {
  closeDescriptor,
  type Death,
  reap,
  setWindowSize,
  signalPidfd,
  TsboxError,
  waitHere,
  waitReadable,
} from '../kernel/index.ts';
import type { ConnectedStreams } from './connected-streams.ts';
import { parseSignal } from './options/index.ts';
import { UNCONNECTED } from './streams.ts';

/**
 * A program that this process has started and is the parent of, with its streams: the first one of a container (RunningContainer), or one of
 * `exec` (ExecProcess).
 */
export abstract class ChildProgram<Status> implements AsyncDisposable {
  /** On the host. */
  readonly pid: number;
  /** Null where it is not `pipe`, and with a terminal. */
  readonly stdin: Writable | null;
  readonly stdout: Readable | null;
  readonly stderr: Readable | null;
  /** With `tty`: the terminal's other end. */
  readonly terminal: Duplex | null;
  protected readonly streams: ConnectedStreams;
  protected readonly pidfd: number;
  protected alive = true;
  #end: Promise<Status> | undefined;

  constructor({ pid, pidfd }: { pid: number; pidfd: number }, streams: ConnectedStreams) {
    this.pid = pid;
    this.pidfd = pidfd;
    this.streams = streams;
    ({ stdin: this.stdin, stdout: this.stdout, stderr: this.stderr, terminal: this.terminal } = streams);
  }

  /** For messages: `container web`. */
  protected abstract get title(): string;

  /** What follows the program's end; to be called once, last in the constructor. */
  protected follow(end: Promise<Status>): void {
    this.#end = end;
    // Whoever asks gets the error; nobody has to ask.
    end.catch(() => {});
  }

  /**
   * Resolves when the program has ended.
   *
   * @throws {TsboxError} STREAM_FAILED where a stream of ours that it has inherited could not be read or written
   */
  wait(): Promise<Status> {
    return this.#end as Promise<Status>;
  }

  /** Sends a signal to the program, SIGKILL by default. @throws {TsboxError} BAD_OPTION, NOT_RUNNING */
  async kill(signal: string | number = 'SIGKILL'): Promise<void> {
    const number = parseSignal('signal', String(signal));
    if (this.alive && signalPidfd(this.pidfd, number)) return;
    throw new TsboxError('NOT_RUNNING', `${this.title} is not running`);
  }

  /** @throws {TsboxError} NO_TERMINAL */
  resize(size: { columns: number; rows: number }): void {
    const { terminalFd } = this.streams;
    if (terminalFd === undefined) throw new TsboxError('NO_TERMINAL', `${this.title} has no terminal`);
    if (this.alive && !this.terminal?.destroyed) setWindowSize(terminalFd, size);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.alive) signalPidfd(this.pidfd, SIGKILL);
    await this.#end;
    this.destroyStreams();
  }

  protected destroyStreams(): void {
    for (const stream of [this.stdin, this.stdout, this.stderr, this.terminal]) stream?.destroy();
  }

  /** @param mayBlock nobody else needs this thread: what is over soon is waited for in it, unless a stream is copied here */
  protected async death(mayBlock: boolean): Promise<Death> {
    const inThread = mayBlock && this.streams === UNCONNECTED;
    // Not before whoever asked has this object: a signal may be for the program.
    if (inThread) await undefined;
    if (!inThread || !waitHere(this.pidfd, 'readable', 20)) await waitReadable(this.pidfd);
    for (let pause = 1; ; pause = Math.min(pause * 2, 100)) {
      const death = reap(this.pidfd);
      if (death !== undefined) {
        this.alive = false;
        closeDescriptor(this.pidfd);
        return death;
      }
      // Dead, but somebody in the container traces it, who is told first (ptrace(2)).
      await new Promise((resolve) => setTimeout(resolve, pause));
    }
  }
}

const SIGKILL = 9;
