import { request as httpRequest } from 'node:http';
import { Agent, type AgentOptions, request as httpsRequest, type RequestOptions } from 'node:https';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { type ConnectionOptions, connect as tlsConnect } from 'node:tls';
import { TransportError, transportError } from './transport-error.ts';

/** TLS to a host through a proxy that passes bytes on without looking at them: CONNECT, RFC 9110 section 9.3.6. */
export class TunnelAgent extends Agent {
  readonly #proxy: URL;
  readonly #timeout: number;

  constructor(options: AgentOptions, proxy: URL, timeout: number) {
    super(options);
    this.#proxy = proxy;
    this.#timeout = timeout;
  }

  // Node calls it for each new connection; with a callback it may take its time.
  override createConnection(
    options: RequestOptions,
    callback?: (error: Error | null, stream: Duplex) => void,
  ): undefined {
    const { host, port } = options as { host: string; port: number };
    const target = `${host.includes(':') ? `[${host}]` : host}:${port}`;
    const done = callback as (error: Error | null, stream?: Duplex) => void;
    openTunnel(this.#proxy, target, this.#timeout).then((socket) => {
      const secure = tlsConnect({ ...(options as ConnectionOptions), socket });
      secure.once('error', () => socket.destroy());
      done(null, secure);
    }, done);
  }
}

/** Basic credentials from the proxy's URL. */
export function proxyAuthorization(proxy: URL): Record<string, string> {
  if (proxy.username === '' && proxy.password === '') return {};
  const text = `${decodeURIComponent(proxy.username)}:${decodeURIComponent(proxy.password)}`;
  return { 'proxy-authorization': `Basic ${Buffer.from(text).toString('base64')}` };
}

function openTunnel(proxy: URL, target: string, timeout: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const fail = (code: string, message: string, cause?: unknown) =>
      reject(new TransportError(code, `the proxy ${proxy.origin} ${message}`, { connected: false, cause }));
    const request = (proxy.protocol === 'https:' ? httpsRequest : httpRequest)({
      host: proxy.hostname.replace(/^\[|\]$/g, ''),
      port: Number(proxy.port || (proxy.protocol === 'https:' ? 443 : 80)),
      method: 'CONNECT',
      path: target,
      headers: { host: target, ...proxyAuthorization(proxy) },
      agent: false,
    });
    request.setTimeout(timeout, () => request.destroy(Object.assign(new Error(), { code: 'ETIMEDOUT' })));
    request.once('connect', (response, socket, head) => {
      if (response.statusCode === 200 && head.length === 0) {
        socket.setTimeout(0);
        return resolve(socket);
      }
      socket.destroy();
      fail('ERR_PROXY', `answers ${response.statusCode} to CONNECT ${target}`);
    });
    request.once('response', (response) => {
      request.destroy();
      fail('ERR_PROXY', `answers ${response.statusCode} to CONNECT ${target}`);
    });
    request.on('error', (error) =>
      fail('ERR_PROXY', `cannot be used: ${transportError(error, false).message}`, error),
    );
    request.end();
  });
}
