import { readSync } from 'node:fs';
import {
  closeDescriptor,
  type Death,
  openPidfd,
  TsboxError,
  waitHere,
  waitReadable,
} from '../../kernel/index.ts';
import { ChildProgram } from '../child-program.ts';
import type { ConnectedStreams } from '../connected-streams.ts';
import { type ExecStatus, execStatus } from './exec-process.ts';

/**
 * A program in a container whose terminal native/enter-keep.h keeps open: it goes on when this process ends, or lets go of it. That one is also its
 * parent, and tells us of its end.
 */
export class KeptProcess extends ChildProgram<ExecStatus> {
  readonly #status: number;
  readonly #detached: () => void;
  #letGo = false;

  /**
   * @param status the read end of the keeper's pipe, which is this object's from now on
   * @param tell is told how it ended, or that it was let go of
   */
  constructor(
    pid: number,
    status: number,
    streams: ConnectedStreams,
    tell: { ended(status: ExecStatus): void; detached(): void },
  ) {
    const pidfd = openWhileKept(pid, status);
    super({ pid, pidfd: pidfd ?? -1 }, streams);
    this.alive = pidfd !== undefined;
    this.#status = status;
    this.#detached = tell.detached;
    this.follow(this.#settle(tell.ended));
  }

  protected get title(): string {
    return `process ${this.pid}`;
  }

  /** Lets go of it: it runs on, and what it writes is lost. `wait` rejects with DETACHED. Nothing happens where it has ended. */
  detach(): void {
    if (!this.alive || this.#letGo) return;
    this.#letGo = true;
    this.destroyStreams();
    closeDescriptor(this.pidfd);
    // The keeper sees that its pipe has no reader, and takes over the terminal.
    closeDescriptor(this.#status);
    this.alive = false;
    this.#detached();
  }

  override wait(): Promise<ExecStatus> {
    if (!this.#letGo) return super.wait();
    return Promise.reject(new TsboxError('DETACHED', `${this.title} was let go of`));
  }

  async #settle(ended: (status: ExecStatus) => void): Promise<ExecStatus> {
    await waitReadable(this.#status);
    const status = execStatus(readDeath(this.#status));
    if (this.alive) closeDescriptor(this.pidfd);
    this.alive = false;
    closeDescriptor(this.#status);
    ended(status);
    return status;
  }
}

/** The keeper says that it has ended before anybody else may get its PID: where nothing is said, the process that was opened is the program. */
function openWhileKept(pid: number, status: number): number | undefined {
  let pidfd: number;
  try {
    pidfd = openPidfd(pid);
  } catch {
    return undefined;
  }
  if (!waitHere(status, 'readable', 0)) return pidfd;
  closeDescriptor(pidfd);
  return undefined;
}

/** Two bytes; none where the keeper was killed with the whole container. */
function readDeath(status: number): Death {
  const said = Buffer.alloc(2);
  if (readSync(status, said, 0, 2, null) < 2) return { signal: SIGKILL };
  const [bySignal, number = 0] = said;
  return bySignal === 1 ? { signal: number } : { code: number };
}

const SIGKILL = 9;
