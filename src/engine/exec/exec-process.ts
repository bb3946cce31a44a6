import { type Death, signalName } from '../../kernel/index.ts';
import { ChildProgram } from '../child-program.ts';
import type { ConnectedStreams } from '../connected-streams.ts';
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
export class ExecProcess extends ChildProgram<ExecStatus> {
  /** @param ended is told how it ended */
  constructor(
    entered: Entered,
    streams: ConnectedStreams,
    mayBlock: boolean,
    ended: (status: ExecStatus) => void,
  ) {
    super(entered, streams);
    this.follow(this.#settle(mayBlock, ended));
  }

  protected get title(): string {
    return `process ${this.pid}`;
  }

  async #settle(mayBlock: boolean, ended: (status: ExecStatus) => void): Promise<ExecStatus> {
    const status = execStatus(await this.death(mayBlock));
    ended(status);
    await this.streams.drained;
    return status;
  }
}

export function execStatus(death: Death): ExecStatus {
  return 'code' in death
    ? { code: death.code }
    : { code: 128 + death.signal, signal: signalName(death.signal) };
}
