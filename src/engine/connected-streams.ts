import type { Duplex, Readable, Writable } from 'node:stream';

/** Is shown each stream of output before anything is read from it. */
export type Observe = (stream: Readable, name: 'stdout' | 'stderr') => void;

/** Our sides of a program's streams. */
export interface ConnectedStreams {
  stdin: Writable | null;
  stdout: Readable | null;
  stderr: Readable | null;
  terminal: Duplex | null;
  /** The master end of the terminal. */
  terminalFd: number | undefined;
  /** Resolves when everything that is copied for `inherit` has been written; rejects with STREAM_FAILED where it could not be. */
  drained: Promise<void>;
}
