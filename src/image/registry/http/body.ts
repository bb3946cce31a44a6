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
  let came = 0;
  const timer = setTimeout(() => {
    const before = came;
    // Timers come before what has been received: after a stop of this process, something may have been waiting for us all the time.
    setImmediate(() => {
      if (message.isPaused() || came > before) return void timer.refresh();
      const text = `nothing came for ${Math.round(idle / 100) / 10} seconds`;
      fail(new TransportError('ETIMEDOUT', text, { connected: true }));
    });
  }, idle);
  message.on('data', (chunk: Buffer) => {
    queue.push(chunk);
    queued += chunk.length;
    came += chunk.length;
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

/** An answer whose body has not been read yet. */
export interface Unread {
  body: AsyncIterable<Buffer>;
  close(why?: Error): void;
}

/**
 * A body that is small, in one piece.
 *
 * @param within milliseconds for all of it: a byte now and then would never be idle
 * @returns undefined where it is larger than `limit` bytes: then the connection is closed
 * @throws {TransportError}
 */
export async function readBody(
  response: Unread,
  limit: number,
  within = 120_000,
): Promise<Buffer | undefined> {
  const parts: Buffer[] = [];
  let length = 0;
  const late = `its answer takes longer than ${within / 1000} seconds`;
  const timer = setTimeout(
    () => response.close(new TransportError('ETIMEDOUT', late, { connected: true })),
    within,
  );
  try {
    for await (const chunk of response.body) {
      length += chunk.length;
      if (length > limit) return undefined;
      parts.push(chunk);
    }
  } finally {
    clearTimeout(timer);
  }
  return parts.length === 1 ? (parts[0] as Buffer) : Buffer.concat(parts);
}

/** Reads what nobody wants, so that its connection is free for the next request; closes it where that takes too long. */
export async function discard(response: Unread): Promise<void> {
  await readBody(response, WORTH_READING, 1000).catch(() => undefined);
}

function broken(): Error {
  return Object.assign(new Error('aborted'), { code: 'ECONNRESET' });
}

/** More than this is not worth reading for a connection that can be used again. */
const WORTH_READING = 64 * 1024;

/** Enough to go on while a consumer writes or decompresses a piece, and little beside what eight parallel blobs take. */
const HIGH_WATER = 1 << 20;
