import { Agent as HttpAgent } from 'node:http';
import { type AgentOptions, Agent as HttpsAgent, type RequestOptions } from 'node:https';
import type { Settings, Timeouts } from '../settings.ts';
import { trust } from './certificates.ts';
import { proxyFor } from './proxy.ts';
import { proxyAuthorization, TunnelAgent } from './tunnel.ts';

export interface TlsSettings {
  /** false: any certificate will do. */
  verify: boolean;
}

/** Connections that are kept for the next request, by where they lead and through which proxy. */
export class Connections {
  readonly timeouts: Timeouts;
  readonly #settings: Settings;
  readonly #agents = new Map<string, HttpAgent>();

  constructor(settings: Settings) {
    this.timeouts = settings.timeouts;
    this.#settings = settings;
  }

  /** Which agent a request goes through, and what it has to say of where it goes. */
  async route(
    url: URL,
    tls: TlsSettings,
  ): Promise<{ agent: HttpAgent; options: RequestOptions & { headers: Record<string, string> } }> {
    const proxy = proxyFor(url, this.#settings.environment);
    const path = `${url.pathname}${url.search}`;
    const host = { host: bare(url.hostname), ...(url.port && { port: Number(url.port) }) };
    if (url.protocol === 'https:')
      return {
        agent: await this.#tls(url, tls, proxy),
        options: { ...host, path, headers: { host: url.host } },
      };
    const agent = this.#agent('http:', () => new HttpAgent(KEEP));
    if (proxy === undefined) return { agent, options: { ...host, path, headers: { host: url.host } } };
    // The absolute form, which tells the proxy where it should go. RFC 9112 section 3.2.2.
    const through = { host: bare(proxy.hostname), port: Number(proxy.port || 80) };
    const headers = { host: url.host, ...proxyAuthorization(proxy) };
    return { agent, options: { ...through, path: `http://${url.host}${path}`, headers } };
  }

  close(): void {
    for (const agent of this.#agents.values()) agent.destroy();
    this.#agents.clear();
  }

  async #tls(url: URL, tls: TlsSettings, proxy: URL | undefined): Promise<HttpAgent> {
    const key = `${url.host} ${tls.verify} ${proxy?.href}`;
    const known = this.#agents.get(key);
    if (known !== undefined) return known;
    const options: AgentOptions = {
      ...KEEP,
      rejectUnauthorized: tls.verify,
      secureContext: trust(url.host, tls.verify, this.#settings),
    };
    return this.#agent(key, () =>
      proxy === undefined ? new HttpsAgent(options) : new TunnelAgent(options, proxy, this.timeouts.connect),
    );
  }

  #agent(key: string, make: () => HttpAgent): HttpAgent {
    const agent: HttpAgent = this.#agents.get(key) ?? make();
    this.#agents.set(key, agent);
    return agent;
  }
}

/** `[::1]` is `::1` to everything but a URL. */
function bare(hostname: string): string {
  return hostname.replace(/^\[|\]$/g, '');
}

/**
 * `highWaterMark` is for the sockets: Node hands the agent's options on to them. At its own 64 KiB, with one message a read, a socket would be
 * stopped and started again for each.
 */
const KEEP = { keepAlive: true, noDelay: true, highWaterMark: 512 * 1024 } as AgentOptions;
