import type { RunOptions } from '../run-options.ts';
import type { StdioChoice } from '../streams.ts';

/** How a program is started in a running container. The names are those of `tsbox exec`'s flags. */
export interface ExecOptions extends Pick<RunOptions, 'env' | 'envFile' | 'tty'> {
  /** `NAME|UID[:GROUP|GID]`, names as in the container's /etc/passwd and /etc/group. Default: the container's own user. */
  user?: string;
  /** Absolute. Default: the container's own. */
  workdir?: string;
  /** All capabilities instead of the container's own, and no AppArmor profile. Its seccomp filter stays. */
  privileged?: boolean;
  /** Default `pipe`. */
  stdin?: StdioChoice;
  stdout?: StdioChoice;
  stderr?: StdioChoice;
  /** With `tty`: the size of the terminal in characters. */
  size?: { columns: number; rows: number };
  /**
   * For a program that has nothing else to do, like a command: the first 20 ms of the program's life block this thread (not signals). Default
   * false.
   */
  mayBlock?: boolean;
  /** Kills the program when it fires; before the start, rejects with the signal's reason. */
  signal?: AbortSignal;
}
