import {
  type ClientRequest,
  request as httpRequest,
  type IncomingHttpHeaders,
  type IncomingMessage,
} from 'node:http';
import { request as httpsRequest } from 'node:https';
import type { Socket } from 'node:net';
import { pieces } from './body.ts';
import type { Connections, TlsSettings } from './connections.ts';
import { TransportError, transportError } from './transport-error.ts';

export interface HttpRequest {
  method: string;
  url: URL;
  headers: Record<string, string>;
  /** Gives the body from its start; with `content-length` among the headers. */
  body?: () => AsyncIterable<Buffer>;
}

export interface HttpResponse {
  status: number;
  headers: IncomingHttpHeaders;
  /** What answered. */
  url: URL;
  /** To be read to its end, which leaves the connection for the next request; a reader that stops before closes it. */
  body: AsyncGenerator<Buffer>;
  /** Gives the rest of the body up, and the connection. */
  close(why?: Error): void;
}

/**
 * Sends one request and waits for the head of its answer.
 *
 * @throws {TransportError} and the signal's reason
 */
export async function exchange(
  request: HttpRequest,
  connections: Connections,
  tls: TlsSettings,
  signal?: AbortSignal,
): Promise<HttpResponse> {
  signal?.throwIfAborted();
  const { timeouts } = connections;
  const { agent, options } = await connections.route(request.url, tls);
  const send = request.url.protocol === 'https:' ? httpsRequest : httpRequest;
  const sent = send({
    ...options,
    agent,
    method: request.method,
    headers: { ...options.headers, ...request.headers },
    ...(signal && { signal }),
  });
  const phases = new Phases(sent, timeouts);
  try {
    const answer = new Promise<IncomingMessage>((resolve, reject) => {
      sent.once('response', resolve);
      // Stays, for what comes after the answer: an error without a listener ends the process.
      sent.on('error', reject);
    });
    if (request.body === undefined) sent.end();
    else await sendBody(sent, request.body(), answer, phases);
    const message = await answer;
    return {
      status: message.statusCode ?? 0,
      headers: message.headers,
      url: request.url,
      body: body(message, sent, request.url, timeouts.idle, signal),
      close: (why) => void message.destroy(why),
    };
  } catch (error) {
    sent.destroy();
    signal?.throwIfAborted();
    if (error instanceof SourceError) throw error.cause;
    // The server closed a connection that was kept while our request was on its way. The next one is another, in the end a new one.
    if (
      sent.reusedSocket &&
      request.body === undefined &&
      (error as NodeJS.ErrnoException).code === 'ECONNRESET'
    )
      return await exchange(request, connections, tls, signal);
    const failure = transportError(error, phases.connected);
    failure.host = request.url.host;
    throw failure;
  } finally {
    phases.end();
  }
}

async function* body(
  message: IncomingMessage,
  sent: ClientRequest,
  url: URL,
  idle: number,
  signal: AbortSignal | undefined,
): AsyncGenerator<Buffer> {
  try {
    yield* pieces(message, idle);
  } catch (error) {
    signal?.throwIfAborted();
    if (error instanceof TransportError) error.host = url.host;
    throw error;
  } finally {
    // The server answered before it had read the whole request: nobody could say where the next one would begin.
    if (!sent.writableEnded) sent.destroy();
  }
}

/** Sends until all is sent or the server answers: it may refuse a body that it has not read. */
async function sendBody(
  sent: ClientRequest,
  chunks: AsyncIterable<Buffer>,
  answer: Promise<IncomingMessage>,
  phases: Phases,
): Promise<void> {
  let over = false;
  let wake = () => {};
  const stop = () => {
    over = true;
    wake();
  };
  answer.then(stop, stop);
  sent.on('drain', () => wake());
  sent.on('close', stop);
  for await (const chunk of source(chunks)) {
    if (over) break;
    if (!sent.write(chunk)) {
      await new Promise<void>((resolve) => {
        wake = resolve;
        if (over) resolve();
      });
    }
    phases.progress();
  }
  if (!over) {
    phases.sent();
    sent.end();
  }
}

/** What we failed to read ourselves is no fault of the network. */
class SourceError extends Error {}

async function* source(chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  try {
    yield* chunks;
  } catch (cause) {
    throw new SourceError('the body cannot be read', { cause });
  }
}

/** Watches one request: a limit for each of its phases, and one timer for all. */
class Phases {
  connected = false;
  readonly #sent: ClientRequest;
  readonly #timeouts: { connect: number; response: number; idle: number };
  #timer: NodeJS.Timeout | undefined;
  #sending = false;

  constructor(sent: ClientRequest, timeouts: { connect: number; response: number; idle: number }) {
    this.#sent = sent;
    this.#timeouts = timeouts;
    this.#limit(timeouts.connect, 'no connection');
    sent.once('socket', (socket: Socket & { encrypted?: boolean; secureConnecting?: boolean }) => {
      const waiting = socket.connecting || socket.secureConnecting === true;
      if (!waiting) this.#arrived();
      else socket.once(socket.encrypted ? 'secureConnect' : 'connect', () => this.#arrived());
    });
  }

  progress(): void {
    this.#sending = true;
    if (this.connected) this.#limit(this.#timeouts.idle, 'nothing could be sent');
  }

  sent(): void {
    this.#sending = false;
    if (this.connected) this.#arrived();
  }

  end(): void {
    clearTimeout(this.#timer);
  }

  #arrived(): void {
    this.connected = true;
    if (this.#sending) this.progress();
    else this.#limit(this.#timeouts.response, 'no answer');
  }

  #limit(milliseconds: number, what: string): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      const text = `${what} for ${Math.round(milliseconds / 100) / 10} seconds`;
      this.#sent.destroy(new TransportError('ETIMEDOUT', text, { connected: this.connected }));
    }, milliseconds);
  }
}
