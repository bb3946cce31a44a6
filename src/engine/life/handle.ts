import type { ExitStatus } from '../container.ts';
import { findContainer } from '../find-container.ts';
import type { ContainerRecord } from '../record.ts';
import { removeContainer } from '../remove.ts';
import { type Attachment, attach } from './attach.ts';
import type { DetachedContainer } from './interface.ts';
import { killContainer } from './kill.ts';
import { type LogLine, type LogOptions, readLog } from './log/index.ts';
import { restartContainer } from './restart.ts';
import { startContainer } from './start.ts';
import { type StopOptions, stopContainer } from './stop.ts';
import { waitForContainer } from './wait.ts';

/** The container of that name, id or unique beginning of an id. @throws {TsboxError} NO_CONTAINER, AMBIGUOUS_ID */
export function container(reference: string): DetachedContainer {
  const { id, name } = findContainer(reference);
  return new Handle(id, name);
}

export class Handle implements DetachedContainer {
  readonly id: string;
  readonly name: string;

  constructor(id: string, name: string) {
    this.id = id;
    this.name = name;
  }

  record(): ContainerRecord {
    return findContainer(this.id);
  }

  async start(): Promise<void> {
    await startContainer(this.id);
  }

  stop(options?: StopOptions): Promise<ExitStatus> {
    return stopContainer(this.id, options);
  }

  async restart(options?: StopOptions): Promise<void> {
    await restartContainer(this.id, options);
  }

  async kill(signal?: string | number): Promise<void> {
    await killContainer(this.id, signal);
  }

  wait(): Promise<ExitStatus> {
    return waitForContainer(this.id);
  }

  logs(options?: LogOptions): AsyncIterable<LogLine> {
    return readLog(this.id, options);
  }

  attach(): Promise<Attachment> {
    return attach(this.id);
  }

  async remove(options?: { force?: boolean }): Promise<void> {
    await removeContainer(this.id, options);
  }
}
