import { findCredentials } from '../credentials/index.ts';
import { Authorizer } from './auth/index.ts';
import { refusal } from './failure.ts';
import type { Host } from './hosts.ts';
import { verifies } from './hosts.ts';
import {
  type Connections,
  discard,
  exchange,
  type HttpRequest,
  type HttpResponse,
  TransportError,
} from './http/index.ts';
import { followRedirects } from './redirects.ts';
import { Retry } from './retry.ts';
import type { Settings } from './settings.ts';
import type { RegistryOptions } from './types.ts';

export interface EndpointRequest {
  method: string;
  /** After `/v2/` and the host's prefix; or a whole URL that the server gave. */
  path: string | URL;
  /** What the token has to be good for. */
  scopes: readonly string[];
  headers?: Record<string, string>;
  body?: () => AsyncIterable<Buffer>;
  /** What is asked for, for messages. */
  what: string;
  /** Statuses that are an answer, besides those of success. */
  accept?: readonly number[];
  /** The answer is checked against a digest: it may come from anywhere, without TLS too. */
  checked?: boolean;
}

/** One server and how it is spoken to: the scheme and the authentication, which the first requests find out. */
export class Endpoint {
  readonly host: Host;
  readonly #connections: Connections;
  readonly #settings: Settings;
  readonly #options: RegistryOptions;
  readonly #authorizer: Authorizer;
  #scheme: 'https' | 'http' | undefined;
  #reached = false;

  constructor(host: Host, connections: Connections, settings: Settings, options: RegistryOptions) {
    this.host = host;
    this.#connections = connections;
    this.#settings = settings;
    this.#options = options;
    this.#scheme = host.schemes.length === 1 ? host.schemes[0] : undefined;
    this.#authorizer = new Authorizer({
      registry: host.registry,
      credentials: async () =>
        (host.isMirror ? undefined : options.credentials) ??
        (await findCredentials(host.registry, settings.environment)),
      send: (request) =>
        followRedirects(request, (hop) => this.#exchange(hop), {
          origin: request.url.origin,
          plain: !host.verify,
          what: `a token for ${host.registry}`,
        }),
    });
  }

  /** A count of tries, for one request or for a blob that takes several. With a mirror patience is short: there is somebody else to ask. */
  retry(): Retry {
    const { retry } = this.#settings;
    const attempts = this.host.isMirror ? Math.min(retry.attempts, 2) : retry.attempts;
    return new Retry({ ...this.#settings, retry: { ...retry, attempts } }, this.#options);
  }

  /** Waits before the next try, or throws what failed as a TsboxError. */
  async wait(retry: Retry, error: unknown, what: string): Promise<void> {
    await retry.after(error, what, this.#reached);
  }

  /**
   * One request with all that it takes, tried again where that may help.
   *
   * @returns an answer of success, or one of `accept`
   * @throws {TsboxError} REGISTRY_DENIED, NOT_FOUND, REGISTRY_BUSY, REGISTRY_FAILED, REGISTRY_UNREACHABLE
   */
  async request(request: EndpointRequest, retry: Retry = this.retry()): Promise<HttpResponse> {
    for (;;) {
      try {
        return await this.try(request);
      } catch (error) {
        await this.wait(retry, error, request.what);
      }
    }
  }

  /** The same, once: throws what `wait` takes. */
  async try(request: EndpointRequest): Promise<HttpResponse> {
    const response = await this.#authorized(request);
    this.#reached = true;
    if (response.status < 300 || request.accept?.includes(response.status)) return response;
    throw await refusal(response, request.what, this.host.registry);
  }

  async #authorized(request: EndpointRequest): Promise<HttpResponse> {
    const first = await this.#authorizer.header(request.scopes);
    const response = await this.#anyScheme(request, first);
    const challenge = response.headers['www-authenticate'];
    // Another server's challenge, behind a redirect, is not for our credentials (containerd, CVE-2020-15157).
    if (response.status !== 401 || challenge === undefined || response.url.origin !== this.#origin())
      return response;
    this.#reached = true;
    const secure = this.host.verify && response.url.protocol === 'https:';
    const second = await this.#authorizer.answer(challenge, request.scopes, first, secure);
    if (second === undefined) return response;
    await discard(response);
    return await this.#follow(request, second);
  }

  /** TLS first; where that is not to be had and need not be, plain HTTP. What the server answers to is kept. */
  async #anyScheme(request: EndpointRequest, authorization: string | undefined): Promise<HttpResponse> {
    if (this.#scheme !== undefined) return await this.#follow(request, authorization);
    for (const scheme of ['https', 'http'] as const) {
      try {
        const response = await this.#follow(request, authorization, scheme);
        this.#scheme ??= scheme;
        return response;
      } catch (error) {
        const noTls = error instanceof TransportError && this.#hasNoTls(error);
        if (scheme === 'http' || !noTls) throw error;
      }
    }
    throw new Error('unreachable');
  }

  async #follow(
    request: EndpointRequest,
    authorization: string | undefined,
    scheme = this.#scheme as string,
  ): Promise<HttpResponse> {
    const base = `${scheme}://${this.host.address}/v2/`;
    const { path, method, headers = {}, body } = request;
    const url = typeof path === 'string' ? new URL(`${base}${path}`) : path;
    const send: HttpRequest = {
      method,
      url,
      headers: { ...headers, 'user-agent': 'tsbox', ...(authorization && { authorization }) },
      ...(body && { body }),
    };
    return await followRedirects(send, (hop) => this.#exchange(hop), {
      origin: new URL(base).origin,
      plain: request.checked === true || !this.host.verify,
      what: request.what,
    });
  }

  #exchange(request: HttpRequest): Promise<HttpResponse> {
    const ours = request.url.host === new URL(`${request.url.protocol}//${this.host.address}`).host;
    const verify = ours ? this.host.verify : verifies(request.url.host, this.#options);
    return exchange(request, this.#connections, { verify }, this.#options.signal);
  }

  #hasNoTls(error: TransportError): boolean {
    const ours = error.host === new URL(`https://${this.host.address}`).host;
    return ours && !error.connected && !error.unknownHost && !['ETIMEDOUT', 'ERR_PROXY'].includes(error.code);
  }

  #origin(): string {
    return new URL(`${this.#scheme}://${this.host.address}`).origin;
  }
}
