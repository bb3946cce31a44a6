import type { Duplex, Readable, Writable } from 'node:stream';
import {
  closeDescriptor,
  type Death,
  reap,
  setWindowSize,
  signalName,
  signalPidfd,
  TsboxError,
  waitHere,
  waitReadable,
} from '../../kernel/index.ts';
import { parseSignal } from '../options/index.ts';
import { type ConnectedStreams, UNCONNECTED } from '../streams.ts';
import type { Entered } from './launch.ts';

/** How a program in a container ended. */
export interface ExecStatus {
  /** 0 to 255: what the program gave, or 128+n where signal n ended it. */
  code: number;
  /** `SIGKILL`, where a signal ended it: also when the container ended before it. */
  signal?: string;
}

/**
 * A program that was started in a running container. It ends with the process, and the thread, that started it, and with the container.
 * `await using program = await box.exec(…)` kills it at the end of the block.
 */
export class ExecProcess implements AsyncDisposable {
  /** On the host. */
  readonly pid: number;
  /** Null where it is not `pipe`, and with a terminal. */
  readonly stdin: Writable | null;
  readonly stdout: Readable | null;
  readonly stderr: Readable | null;
  /** With `tty`: the terminal's other end. */
  readonly terminal: Duplex | null;
  readonly #pidfd: number;
  readonly #streams: ConnectedStreams;
  readonly #end: Promise<ExecStatus>;
  #alive = true;

  constructor(entered: Entered, streams: ConnectedStreams, mayBlock = false) {
    this.pid = entered.pid;
    this.#pidfd = entered.pidfd;
    this.#streams = streams;
    ({ stdin: this.stdin, stdout: this.stdout, stderr: this.stderr, terminal: this.terminal } = streams);
    this.#end = this.#settle(mayBlock && streams === UNCONNECTED);
    // Whoever asks gets the error; nobody has to ask.
    this.#end.catch(() => {});
  }

  /**
   * Resolves when the program has ended.
   *
   * @throws {TsboxError} STREAM_FAILED where a stream of ours that it has inherited could not be read or written
   */
  wait(): Promise<ExecStatus> {
    return this.#end;
  }

  /** Sends a signal to the program, SIGKILL by default. @throws {TsboxError} BAD_OPTION, NOT_RUNNING */
  async kill(signal: string | number = 'SIGKILL'): Promise<void> {
    const number = parseSignal('signal', String(signal));
    if (this.#alive && signalPidfd(this.#pidfd, number)) return;
    throw new TsboxError('NOT_RUNNING', `process ${this.pid} is not running`);
  }

  /** @throws {TsboxError} NO_TERMINAL */
  resize(size: { columns: number; rows: number }): void {
    const { terminalFd } = this.#streams;
    if (terminalFd === undefined) throw new TsboxError('NO_TERMINAL', `process ${this.pid} has no terminal`);
    if (this.#alive && !this.terminal?.destroyed) setWindowSize(terminalFd, size);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#alive) signalPidfd(this.#pidfd, SIGKILL);
    await this.#end;
    for (const stream of [this.stdin, this.stdout, this.stderr, this.terminal]) stream?.destroy();
  }

  async #death(mayBlock: boolean): Promise<Death> {
    // Not before whoever asked has this object: a signal may be for the program.
    if (mayBlock) await undefined;
    if (!mayBlock || !waitHere(this.#pidfd, 'readable', 20)) await waitReadable(this.#pidfd);
    for (let pause = 1; ; pause = Math.min(pause * 2, 100)) {
      const death = reap(this.#pidfd);
      if (death !== undefined) return death;
      // Dead, but somebody in the container traces it, who is told first (ptrace(2)).
      await new Promise((resolve) => setTimeout(resolve, pause));
    }
  }

  async #settle(mayBlock: boolean): Promise<ExecStatus> {
    const death = await this.#death(mayBlock);
    this.#alive = false;
    closeDescriptor(this.#pidfd);
    await this.#streams.drained;
    return 'code' in death
      ? { code: death.code }
      : { code: 128 + death.signal, signal: signalName(death.signal) };
  }
}

const SIGKILL = 9;
