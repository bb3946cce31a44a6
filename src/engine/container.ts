import type { Duplex, Readable, Writable } from 'node:stream';
import type { CgroupStats } from '../cgroup/index.ts';
import type { ProfileEntry } from '../launch/index.ts';
import type { BoundPort } from '../network/nat/port.ts';
import type { ExecOptions, ExecProcess } from './exec/index.ts';
import type { RunHooks, RunOptions } from './run-options.ts';
import type { StdioChoice } from './streams.ts';

export type Stdio = StdioChoice;
export type ContainerStats = CgroupStats;

/** How to start a container: what it is ({@link RunOptions}) and how this process is connected to it. */
export interface StartOptions extends RunOptions, RunHooks {
  /** Default `pipe`. */
  stdin?: Stdio;
  stdout?: Stdio;
  stderr?: Stdio;
  /** With `tty`: the size of the terminal in characters. */
  size?: { columns: number; rows: number };
  /** Kills the container when it fires; before the start, rejects with the signal's reason. */
  signal?: AbortSignal;
  /**
   * For a program that has nothing else to do, like a command: the start, and then the first 20 ms of the container's life, block this
   * thread (not signals), which saves 2 ms. Default false.
   */
  mayBlock?: boolean;
  /** Time each system call, for {@link Container.profile}. */
  profile?: boolean;
}

/** How a container ended. */
export interface ExitStatus {
  /** 0 to 255: what the program gave, or 128+n where signal n ended it. */
  code: number;
  /** `SIGKILL`, where a signal ended it. */
  signal?: string;
  /** Whether the kernel killed it because its memory was used up. */
  oomKilled: boolean;
  /** Bytes, where there is a limit. */
  memoryLimit?: number;
}

/**
 * A running container. `await using box = await run(…)` kills it at the end of the block, if it still runs by then, and waits until nothing is left of it.
 *
 * It ends with the process that started it, however that ends; and with the worker thread, if it was started in one (its parent is the
 * thread: PR_SET_PDEATHSIG). A worker that is terminated from outside leaves zombies in the process table until the process ends.
 *
 * What the program writes waits in a pipe until it is read, also after its end; a stream that nobody reads is open until the container is
 * disposed of. Use `ignore` for what is of no interest.
 */
export interface Container extends AsyncDisposable {
  /** 64 hexadecimal digits. */
  readonly id: string;
  readonly name: string;
  /** Of the program, on the host. */
  readonly pid: number;
  /** Null where it is not `pipe`, and with a terminal. */
  readonly stdin: Writable | null;
  readonly stdout: Readable | null;
  readonly stderr: Readable | null;
  /** With `tty`: the terminal's other end, to write what is typed and read what is shown. */
  readonly terminal: Duplex | null;
  /**
   * Resolves when the program has ended and nothing of it is left on the host. Can be called any number of times.
   *
   * @throws {TsboxError} STREAM_FAILED where a stream of ours that it has inherited could not be read or written (a full disk)
   */
  wait(): Promise<ExitStatus>;
  /** Sends a signal to the program, SIGKILL by default. @throws {TsboxError} BAD_OPTION, NOT_RUNNING */
  kill(signal?: string | number): Promise<void>;
  /** Sends the stop signal and, after the stop time-out, SIGKILL. */
  stop(): Promise<ExitStatus>;
  /** @throws {TsboxError} NO_TERMINAL */
  resize(size: { columns: number; rows: number }): void;
  /**
   * Starts a program in it and resolves once that runs.
   *
   * @throws {TsboxError} NOT_RUNNING, PAUSED, NO_USER, BAD_OPTION; `exitCode` is 127 or 126 where the program is not there or cannot be run
   */
  exec(command: readonly string[], options?: ExecOptions): Promise<ExecProcess>;
  /** The ports of the host that lead to it, as `publish` asked for them. @throws {TsboxError} NO_CONTAINER once it is removed */
  ports(): Promise<BoundPort[]>;
  /** What it has used so far. */
  stats(): Promise<ContainerStats>;
  /** With `profile`: each system call with its time; without, nothing. */
  profile(): ProfileEntry[];
}
