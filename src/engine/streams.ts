import { fchownSync, fstatSync } from 'node:fs';
import {
  AT,
  closeDescriptor,
  cString,
  isNullDevice,
  O,
  pipe,
  receiveDescriptor,
  socketPair,
  syscall,
} from '../kernel/index.ts';
import type { Stdio, TerminalStdio } from '../runtime/index.ts';
import type { ConnectedStreams, Observe } from './connected-streams.ts';

/**
 * `pipe`: a stream for the caller. `ignore`: /dev/null. `inherit`: ours; where ours is a terminal, a file or a socket, the program
 * gets a pipe all the same, whose content is copied: through a descriptor of the host's terminal it could type into it (CVE-2017-5226), and a file it could reopen for writing.
 */
export type StdioChoice = 'pipe' | 'inherit' | 'ignore';

/** The streams of a container that is about to start, on both sides. */
export interface Streams {
  /** What the plan gives the program. */
  child: Stdio | TerminalStdio;
  /** Closes what only the program needs; to be called once it has been cloned. */
  release(): void;
  /** Opens our sides as streams; to be called once the program runs. */
  connect(observe?: Observe): Promise<ConnectedStreams>;
  /** Closes everything of a container that did not start. */
  abandon(): void;
}

/** @param throughUs all output passes through this process, also where the program could have our own descriptor: it is logged */
export function openStreams(
  choices: Record<'stdin' | 'stdout' | 'stderr', StdioChoice>,
  owner: number,
  throughUs = false,
): Streams {
  const streams: OneStream[] = [];
  try {
    for (const [index, name] of NAMES.entries())
      streams.push(openStream(choices[name], index, owner, throughUs && index > 0));
  } catch (error) {
    for (const { child, parent, ours } of streams) {
      if (!ours) closeDescriptor(child);
      if (parent !== undefined) closeDescriptor(parent);
    }
    throw error;
  }
  const child = { stdin: streams[0]?.child, stdout: streams[1]?.child, stderr: streams[2]?.child } as Stdio;
  const release = () => {
    for (const { child, ours } of streams) if (!ours) closeDescriptor(child);
  };
  return {
    child,
    release,
    abandon() {
      for (const { parent } of streams) if (parent !== undefined) closeDescriptor(parent);
    },
    async connect(observe) {
      if (streams.every(({ parent }) => parent === undefined)) return UNCONNECTED;
      const { connectStreams } = await import('./stream-connect.ts');
      return connectStreams(
        streams.map(({ parent, copy }) => ({ parent, copy })),
        observe,
      );
    },
  };
}

/** A terminal instead of three streams. */
export function openTerminalStreams(size: { columns: number; rows: number } | undefined): Streams {
  const [ours, theirs] = socketPair();
  let open = true;
  const close = () => {
    if (open) closeDescriptor(ours);
    open = false;
  };
  return {
    child: { terminalSocket: theirs, size },
    release: () => closeDescriptor(theirs),
    abandon: close,
    async connect(observe) {
      const master = receiveDescriptor(ours);
      close();
      if (master === undefined) return UNCONNECTED;
      const { connectTerminal } = await import('./stream-connect.ts');
      return connectTerminal(master, observe);
    },
  };
}

interface OneStream {
  /** What the program gets. */
  child: number;
  /** Our end of a pipe. */
  parent: number | undefined;
  /** Whether `child` is one of our own 0, 1 and 2, which stay open. */
  ours: boolean;
  /** Whether our end is copied from or to our own stream. */
  copy: boolean;
}

function openStream(choice: StdioChoice, index: number, owner: number, throughUs: boolean): OneStream {
  if (choice === 'ignore') return { child: openNull(), parent: undefined, ours: false, copy: false };
  if (choice === 'inherit' && !throughUs && isPassable(index))
    return { child: index, parent: undefined, ours: true, copy: false };
  const { read, write } = pipe();
  const [child, parent] = index === 0 ? [read, write] : [write, read];
  // So that a program that is not root can open /dev/stdout.
  if (owner !== 0) fchownSync(child, owner, owner);
  return { child, parent, ours: false, copy: choice === 'inherit' };
}

/** By the same means as a pipe, so that all of them are closed alike. */
function openNull(): number {
  return syscall('openat', [AT.AT_FDCWD, cString('/dev/null'), O.O_RDWR | O.O_CLOEXEC], {
    doing: 'open /dev/null',
  });
}

/** A pipe or /dev/null says nothing about the host. */
export function isPassable(fd: number): boolean {
  const stats = fstatSync(fd);
  return stats.isFIFO() || isNullDevice(stats);
}

const NAMES = ['stdin', 'stdout', 'stderr'] as const;

/** Where this process has no end of any of them. */
export const UNCONNECTED: ConnectedStreams = {
  stdin: null,
  stdout: null,
  stderr: null,
  terminal: null,
  terminalFd: undefined,
  drained: Promise.resolve(),
};
