import type { Duplex } from 'node:stream';
import { isatty, WriteStream } from 'node:tty';
import { type Container, showBytes, TsboxError } from '../../index.ts';
import type { Stream } from './arguments.ts';

/** A container or a program with a terminal. `stop`: what to do when ours is gone. */
export type OnTerminal = Pick<Container, 'terminal' | 'resize'> & { stop(): Promise<unknown> };

/** Our terminal while it is the container's. */
export interface Terminal {
  /** Resolves when everything that the program wrote is on our side. */
  drained: Promise<void>;
  /** Tells the container our window's size; for SIGWINCH. */
  resized(): void;
  /** Leaves raw mode and stops reading. Doing it twice is harmless. */
  restore(): void;
}

/**
 * Connects the container's terminal to ours, in raw mode: every key goes to the program, and its own terminal turns Ctrl-C into
 * a signal. Undefined for a container without one.
 *
 * Node itself leaves raw mode when the process exits, by an uncaught error too; so a terminal is spoilt only by SIGKILL.
 *
 * @param watched what is typed goes through it
 */
export function attachTerminal(
  container: OnTerminal,
  attach: ReadonlySet<Stream>,
  watched?: Duplex,
): Terminal | undefined {
  const { terminal } = container;
  if (terminal === null) return undefined;
  const drained = new Promise<void>((resolve) => {
    // When its last process is gone, reading a pty says EIO or ends, by who asks first (pty(7)): both are the end.
    terminal.on('error', () => resolve()).on('close', () => resolve());
    if (!attach.has('stdout')) terminal.resume();
    terminal.on('end', () => resolve());
  });
  if (attach.has('stdout')) terminal.pipe(process.stdout, { end: false });
  const restore = attach.has('stdin') ? typeInto(container, watched) : () => {};
  return {
    drained,
    restore,
    resized() {
      const size = windowSize();
      try {
        if (size) container.resize(size);
      } catch {} // it has just ended
    },
  };
}

/** @throws NOT_A_TTY for `-it` where nobody can type; the message is Docker's */
export function requireTerminal(): void {
  if (isatty(0)) return;
  throw new TsboxError('NOT_A_TTY', 'the input device is not a TTY', {
    advice: 'leave out -t: standard input is a file or a pipe here, and -i alone connects it',
  });
}

function typeInto(container: OnTerminal, watched: Duplex | undefined): () => void {
  const { stdin } = process;
  const hungUp = () => void container.stop().catch(() => {});
  stdin.setRawMode?.(true);
  if (stdin.isTTY) showBytes(0);
  const keys = watched === undefined ? stdin : stdin.pipe(watched);
  if (container.terminal) keys.pipe(container.terminal, { end: false });
  // In raw mode Ctrl-D is a byte like any other: an end or an error of our terminal means that it is gone.
  stdin.on('end', hungUp).on('error', hungUp);
  return () => {
    stdin.off('end', hungUp);
    stdin.unpipe();
    stdin.pause();
    stdin.setRawMode?.(false);
  };
}

/** The size of our window; undefined where no standard stream is a terminal. */
export function windowSize(): { columns: number; rows: number } | undefined {
  const descriptor = [1, 2, 0].find((candidate) => isatty(candidate));
  if (descriptor === undefined) return undefined;
  const stream = descriptor === 1 ? process.stdout : descriptor === 2 ? process.stderr : inputSize();
  const [columns, rows] = stream.getWindowSize();
  // A terminal that was never told its size says 0 by 0 (serial lines, `script`).
  return columns > 0 && rows > 0 ? { columns, rows } : undefined;
}

/** Standard input as a stream that knows its size. One, kept: each has a handle of its own. */
let input: WriteStream | undefined;
function inputSize(): WriteStream {
  input ??= new WriteStream(0);
  return input;
}
