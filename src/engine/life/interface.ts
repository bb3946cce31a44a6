import type { ExitStatus } from '../container.ts';
import type { ContainerRecord } from '../record.ts';
import type { Attachment } from './attach.ts';
import type { LogLine, LogOptions } from './log/index.ts';
import type { StopOptions } from './stop.ts';

/**
 * A container with a life of its own: whoever made it may end, and it goes on; another program finds it by name. This object holds nothing: each call
 * looks at the state on disk.
 */
export interface DetachedContainer {
  /** 64 hexadecimal digits. */
  readonly id: string;
  readonly name: string;
  /** What is known of it now. @throws {TsboxError} NO_CONTAINER once it is removed */
  record(): ContainerRecord;
  /** Resolves once its program runs. One that runs already is left as it is. */
  start(): Promise<void>;
  /** Asks it to end, kills it after the time-out, and tells how it ended. */
  stop(options?: StopOptions): Promise<ExitStatus>;
  restart(options?: StopOptions): Promise<void>;
  /** SIGKILL by default. @throws {TsboxError} NOT_RUNNING, BAD_OPTION */
  kill(signal?: string | number): Promise<void>;
  /** Resolves when it has ended. */
  wait(): Promise<ExitStatus>;
  /** What it has written, and with `follow` what it writes until it ends. */
  logs(options?: LogOptions): AsyncIterable<LogLine>;
  attach(): Promise<Attachment>;
  /** With `force`, one that runs is killed first. */
  remove(options?: { force?: boolean }): Promise<void>;
}
