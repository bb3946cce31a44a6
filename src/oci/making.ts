import type { TsboxError } from '../kernel/error.ts';
import type { Hooks } from './config/index.ts';
import type { ConnectedListener } from './listener.ts';

/** What is asked of a container besides its configuration, as far as its plan depends on it. */
export interface Wanted {
  id: string;
  /** An absolute directory without symlinks. */
  bundle: string;
  /** Whether its streams are a terminal, whose other end goes to a socket. */
  terminal: boolean;
  noPivot: boolean;
  keepKeyring: boolean;
  /** How many descriptors from 3 on the program gets. */
  preserve: number;
  /** How many of them it is told of as sockets that it listens on. */
  listenFds: number;
  /** Whether its group is a scope of systemd's. */
  systemd: boolean;
}

/** A container that is going to be made: its configuration has been read and checked (from-config.ts), or is like others whose was (from-kept.ts). */
export interface Making {
  /** An absolute directory without symlinks. */
  readonly rootfs: string;
  readonly annotations: Record<string, string>;
  /** Those that the runtime itself runs before it waits. */
  readonly hooks: Pick<Hooks, 'prestart' | 'createRuntime'>;
  readonly poststart: boolean;
  readonly poststop: boolean;
  /** The configuration as it was checked, for those who need it later. */
  readonly json: string;
  /** Its group, with all above it made; to be called with the container's directory locked. @param warn is told of what is left out */
  group(warn: (message: string) => void): Group | Promise<Group>;
  /** After `group`. */
  plan(): LaidOut;
}

export interface Group {
  /** An absolute directory. */
  path: string;
  /** Where systemd has made it: the scope, with a process in it that waits until `release`. */
  unit?: string;
  release?: () => void;
}

/** A plan in memory for native/enter.c, and what has become of it once its first bytes have been read back. */
export interface LaidOut {
  readonly bytes: Buffer;
  /** How many bytes, from the first one on, tell what has become of it. */
  readonly outcomeLength: number;
  readonly listener?: ConnectedListener | undefined;
  /** Of the container; not above 0 where there is none. */
  pid(): number;
  /** Whether a step has ended the plan. */
  hasFailed(): boolean;
  /** In words that engines know. */
  error(): TsboxError | Promise<TsboxError>;
}

/** Where native/plan.h says that the plan of another program lies. */
export const PLAN_BASE = 0x1000000000;

/** The descriptors that a plan uses, above those that the program gets. */
export function numbersFor(preserve: number) {
  const first = 4 + preserve;
  return {
    ready: first,
    gate: first + 1,
    result: first + 2,
    state: first + 3,
    acknowledge: first + 4,
    console: first + 5,
    third: first + 6,
    listener: first + 7,
    message: first + 8,
  };
}
