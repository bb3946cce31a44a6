import type { Writable } from 'node:stream';
import type { BoundPort } from '../../network/nat/port.ts';
import type { ExitStatus } from '../container.ts';
import type { CopyOptions } from '../copy/index.ts';
import type { ExecOptions, ExecProcess } from '../exec/index.ts';
import { findContainer } from '../find-container.ts';
import type { ContainerDescription } from '../inspect/index.ts';
import type { UpdateOptions } from '../manage/index.ts';
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

  async exec(command: readonly string[], options?: ExecOptions): Promise<ExecProcess> {
    return (await import('../exec/index.ts')).exec(this.id, command, options);
  }

  async pause(): Promise<void> {
    await (await import('../manage/index.ts')).pauseContainer(this.id);
  }

  async unpause(): Promise<void> {
    (await import('../manage/index.ts')).unpauseContainer(this.id);
  }

  async update(changes: UpdateOptions): Promise<void> {
    (await import('../manage/index.ts')).updateContainer(this.id, changes);
  }

  async ports(): Promise<BoundPort[]> {
    return (await import('../manage/index.ts')).containerPorts(this.id);
  }

  async inspect(options?: { size?: boolean }): Promise<ContainerDescription> {
    return (await import('../inspect/index.ts')).inspectContainer(this.id, options);
  }

  async copyFrom(source: string, destination: string | Writable, options?: CopyOptions): Promise<number> {
    return (await import('../copy/index.ts')).copyFromContainer(this.id, source, destination, options);
  }

  async copyTo(
    source: string | AsyncIterable<Uint8Array>,
    destination: string,
    options?: CopyOptions,
  ): Promise<number> {
    return (await import('../copy/index.ts')).copyToContainer(this.id, source, destination, options);
  }

  async remove(options?: { force?: boolean }): Promise<void> {
    await removeContainer(this.id, options);
  }
}
