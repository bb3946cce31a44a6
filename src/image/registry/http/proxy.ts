import { BlockList, isIP } from 'node:net';
import { TsboxError } from '../../../kernel/index.ts';

/**
 * The proxy for a URL, from `https_proxy`, `http_proxy`, `all_proxy` and `no_proxy`, in lower case or upper case, by the rules of Go's httpproxy package, which
 * Docker and Podman use: this machine itself is never asked for through a proxy.
 *
 * @throws {TsboxError} BAD_PROXY
 */
export function proxyFor(
  url: URL,
  environment: Readonly<Record<string, string | undefined>>,
): URL | undefined {
  const scheme = url.protocol.slice(0, -1);
  const name = [`${scheme}_proxy`, `${scheme.toUpperCase()}_PROXY`, 'all_proxy', 'ALL_PROXY'].find(
    (name) => environment[name] && !(name === 'HTTP_PROXY' && isCgi(environment)),
  );
  if (name === undefined) return undefined;
  const host = url.hostname.replace(/^\[|\]$/g, '').replace(/\.$/, '');
  const port = url.port || (scheme === 'https' ? '443' : '80');
  if (isLoopback(host) || bypasses(environment.no_proxy || environment.NO_PROXY || '', host, port))
    return undefined;
  return parseProxy(name, environment[name] as string);
}

export function isLoopback(host: string): boolean {
  return host === 'localhost' || (isIP(host) > 0 && LOOPBACK.check(host, family(host)));
}

/** A CGI program gets the request's header `Proxy:` as HTTP_PROXY (httpoxy, CVE-2016-5386). */
function isCgi(environment: Readonly<Record<string, string | undefined>>): boolean {
  return environment.REQUEST_METHOD !== undefined;
}

/**
 * Whether a list has the host: `*`; an address or a range (`10.0.0.0/8`); a name, which stands for what is below it too; `.name` or `*.name`, which stands
 * for only that; each with or without `:port`.
 */
function bypasses(list: string, host: string, port: string): boolean {
  return list
    .split(/[\s,]+/)
    .filter((entry) => entry !== '')
    .some((entry) => matches(entry.toLowerCase(), host, port));
}

function matches(entry: string, host: string, port: string): boolean {
  if (entry === '*') return true;
  const range = /^(.+)\/(\d{1,3})$/.exec(entry);
  if (range !== null) return inRange(range[1] as string, Number(range[2]), host);
  const [, name = '', onlyPort] = /^(?:\[(?=.*\]))?([^\]]*?)\]?(?::(\d+))?$/.exec(entry) ?? [];
  // An IPv6 address without brackets has colons of its own, and so no port.
  const [pattern, wantedPort] = isIP(entry) > 0 ? [entry, undefined] : [name, onlyPort];
  if (wantedPort !== undefined && wantedPort !== port) return false;
  if (isIP(pattern) > 0) return isIP(host) > 0 && inRange(pattern, isIP(pattern) === 4 ? 32 : 128, host);
  const below = pattern.replace(/^\*?\.?/, '.');
  return host.endsWith(below) || (!/^[*.]/.test(pattern) && host === pattern);
}

function inRange(network: string, bits: number, host: string): boolean {
  if (isIP(network) === 0 || isIP(host) === 0 || bits > (isIP(network) === 4 ? 32 : 128)) return false;
  const list = new BlockList();
  list.addSubnet(network, bits, family(network));
  return list.check(host, family(host));
}

function parseProxy(name: string, value: string): URL {
  // `proxy:3128` would be a URL with the scheme `proxy:`.
  const text = /^[a-z][a-z0-9+.-]*:\/\//i.test(value) ? value : `http://${value}`;
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || url.hostname === '')
    throw new TsboxError('BAD_PROXY', `the environment variable ${name} is no URL of a proxy`, {
      advice: `a proxy looks like http://proxy.example:3128; unset ${name} to do without`,
    });
  if (url.protocol === 'http:' || url.protocol === 'https:') return url;
  throw new TsboxError(
    'BAD_PROXY',
    `the environment variable ${name} names a proxy of the kind ${url.protocol}//`,
    {
      advice: 'only http:// and https:// proxies are supported',
    },
  );
}

function family(address: string): 'ipv4' | 'ipv6' {
  return isIP(address) === 6 ? 'ipv6' : 'ipv4';
}

const LOOPBACK = new BlockList();
LOOPBACK.addSubnet('127.0.0.0', 8, 'ipv4');
LOOPBACK.addAddress('::1', 'ipv6');
