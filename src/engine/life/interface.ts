import type { Writable } from 'node:stream';
import type { BoundPort } from '../../network/nat/port.ts';
import type { ExitStatus } from '../container.ts';
import type { CopyOptions } from '../copy/index.ts';
import type { ExecOptions, ExecProcess } from '../exec/index.ts';
import type { ContainerDescription } from '../inspect/index.ts';
import type { UpdateOptions } from '../manage/index.ts';
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
  /**
   * Starts a program in it and resolves once that runs; it ends with this process.
   *
   * @throws {TsboxError} NOT_RUNNING, PAUSED, NO_USER, BAD_OPTION; `exitCode` is 127 or 126 where the program is not there or cannot be run
   */
  exec(command: readonly string[], options?: ExecOptions): Promise<ExecProcess>;
  /** Holds all its processes still. @throws {TsboxError} NOT_RUNNING, PAUSED */
  pause(): Promise<void>;
  /** @throws {TsboxError} NOT_RUNNING, NOT_PAUSED */
  unpause(): Promise<void>;
  /** Changes its limits and its restart policy. @throws {TsboxError} BAD_OPTION, BAD_LIMIT, LIMIT_UNAVAILABLE */
  update(changes: UpdateOptions): Promise<void>;
  /** The ports of the host that lead to it while it runs, as `publish` asked for them. */
  ports(): Promise<BoundPort[]>;
  /** Everything about it, in the form of Docker's API. */
  inspect(options?: { size?: boolean }): Promise<ContainerDescription>;
  /** Resolves with the bytes of the archive. @throws {TsboxError} NO_SUCH_FILE, COPY_CONFLICT */
  copyFrom(source: string, destination: string | Writable, options?: CopyOptions): Promise<number>;
  /** The same the other way; a stream is a tar archive. @throws {TsboxError} NO_SUCH_FILE, COPY_CONFLICT, READ_ONLY */
  copyTo(
    source: string | AsyncIterable<Uint8Array>,
    destination: string,
    options?: CopyOptions,
  ): Promise<number>;
  /** With `force`, one that runs is killed first. */
  remove(options?: { force?: boolean }): Promise<void>;
}
