import type { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { type Attachment, killContainer, showBytes } from '../index.ts';
import { watchForKeys } from './detach-keys.ts';
import { printError } from './output.ts';
import type { Stream } from './run/arguments.ts';
import { dieOfHangUp } from './run/hang-up.ts';
import { forwardSignals } from './run/signals.ts';
import { windowSize } from './run/terminal.ts';

export interface AttachSettings {
  streams: ReadonlySet<Stream>;
  detachKeys?: string | undefined;
  sigProxy: boolean;
  /** Whether the end of our input is the end of the program's. */
  closeInput: boolean;
}

/**
 * Stays connected to a container until it ends or its person lets go of it, with our streams or terminal and our signals.
 *
 * @returns the program's exit code, or 0 where somebody let go
 */
export async function stayAttached(attachment: Attachment, settings: AttachSettings): Promise<number> {
  const { streams, sigProxy } = settings;
  const forwarding = forwardSignals(sigProxy);
  const resized = () => {
    const size = windowSize();
    if (size && attachment.terminal) attachment.resize(size);
  };
  let detached = false;
  const detach = () => {
    detached = true;
    attachment.detach();
  };
  // Made first: the keys may be none.
  const watched = watchForKeys(attachment.terminal ? settings.detachKeys : '', detach);
  const target = {
    kill: async (signal?: string | number) => void (await killContainer(attachment.id, signal)),
  };
  // Without --sig-proxy a signal ends our part only.
  forwarding.to(sigProxy ? target : { kill: async () => detach() }, undefined);
  if (attachment.terminal) process.on('SIGWINCH', resized);
  resized();
  const restore = streams.has('stdin')
    ? connectInput(attachment, watched, detach, settings.closeInput)
    : () => {};
  try {
    await Promise.all([...connectOutputs(attachment, streams), attachment.ended]);
    if (!detached) return (await attachment.wait()).code;
    restore();
    if (attachment.terminal) printError('read escape sequence\n');
    return forwarding.fatal ?? 0;
  } finally {
    restore();
    process.off('SIGWINCH', resized);
    forwarding.end();
    await dieOfHangUp();
  }
}

function connectOutputs(attachment: Attachment, streams: ReadonlySet<Stream>): Promise<void>[] {
  const copy = async (from: NodeJS.ReadableStream | null, to: NodeJS.WriteStream, wanted: boolean) => {
    if (from === null) return;
    if (!wanted) {
      from.resume();
      return;
    }
    try {
      await pipeline(from, to, { end: false });
    } catch {
      // Whoever read our output is gone, or the terminal is.
      attachment.detach();
    }
  };
  const { terminal, stdout, stderr } = attachment;
  return [
    copy(terminal ?? stdout, process.stdout, streams.has('stdout')),
    copy(stderr, process.stderr, streams.has('stderr')),
  ];
}

/** @returns what gives our terminal back */
function connectInput(
  attachment: Attachment,
  watched: Transform,
  detach: () => void,
  closeInput: boolean,
): () => void {
  const { stdin } = process;
  const { terminal } = attachment;
  const to = terminal ?? attachment.stdin;
  if (to === null) return () => {};
  if (terminal) {
    stdin.setRawMode?.(true);
    if (stdin.isTTY) showBytes(0);
  }
  stdin.pipe(watched).pipe(to, { end: closeInput && terminal === null });
  // A terminal of ours that is gone (its window was closed): the container runs on.
  const gone = () => terminal && detach();
  stdin.on('end', gone).on('error', detach);
  to.on('error', () => {});
  return () => {
    stdin.off('end', gone);
    stdin.unpipe();
    stdin.pause();
    (stdin as Partial<typeof stdin>).unref?.();
    if (terminal) stdin.setRawMode?.(false);
  };
}
