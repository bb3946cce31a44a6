import type { IncomingMessage } from 'node:http';
import { TransportError, transportError } from './transport-error.ts';

/**
 * The pieces of a body as they come from the socket. Not the stream's own iterator: that joins what is queued, which copies it.
 *
 * @param idle milliseconds after which a body that stands still is given up; time in which nobody reads does not count
 * @throws {TransportError} where it breaks off
 */
export async function* pieces(message: IncomingMessage, idle: number): AsyncGenerator<Buffer> {
  const queue: Buffer[] = [];
  let queued = 0;
  let failure: unknown;
  let wake = () => {};
  const fail = (error: unknown) => {
    failure ??= error;
    wake();
  };
  const timer = setTimeout(() => {
    if (message.isPaused()) return void timer.refresh();
    const seconds = Math.round(idle / 100) / 10;
    fail(
      new TransportError('ETIMEDOUT', `nothing came for ${seconds} seconds`, {
        connected: true,
      }),
    );
  }, idle);
  message.on('data', (chunk: Buffer) => {
    queue.push(chunk);
    queued += chunk.length;
    timer.refresh();
    if (queued > HIGH_WATER) message.pause();
    wake();
  });
  message.on('end', () => wake());
  message.on('error', fail);
  message.on('close', () => {
    if (!message.complete) fail(broken());
    wake();
  });
  try {
    for (;;) {
      const chunk = queue.shift();
      if (chunk !== undefined) {
        queued -= chunk.length;
        if (queued < HIGH_WATER / 2 && message.isPaused()) {
          message.resume();
          timer.refresh();
        }
        yield chunk;
      } else if (failure !== undefined) throw transportError(failure, true);
      else if (message.readableEnded) return;
      else if (message.destroyed) throw transportError(message.errored ?? broken(), true);
      else
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
    }
  } finally {
    clearTimeout(timer);
    // What has been read to its end leaves its connection for the next request.
    if (!message.readableEnded) message.destroy();
  }
}

/**
 * A body that is small, in one piece.
 *
 * @returns undefined where it is larger than `limit` bytes: then the connection is closed
 */
export async function readBody(chunks: AsyncIterable<Buffer>, limit: number): Promise<Buffer | undefined> {
  const parts: Buffer[] = [];
  let length = 0;
  for await (const chunk of chunks) {
    length += chunk.length;
    if (length > limit) return undefined;
    parts.push(chunk);
  }
  return parts.length === 1 ? (parts[0] as Buffer) : Buffer.concat(parts);
}

/** Reads what nobody wants, so that its connection is free for the next request. */
export async function discard(response: { body: AsyncIterable<Buffer> }): Promise<void> {
  await readBody(response.body, WORTH_READING).catch(() => undefined);
}

function broken(): Error {
  return Object.assign(new Error('aborted'), { code: 'ECONNRESET' });
}

/** More than this is not worth reading for a connection that can be used again. */
const WORTH_READING = 64 * 1024;

/** Enough to go on while a consumer writes or decompresses a piece, and little beside what eight parallel blobs take. */
const HIGH_WATER = 1 << 20;
