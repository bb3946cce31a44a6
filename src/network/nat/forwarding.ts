import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { TsboxError } from '../../kernel/index.ts';

/**
 * Has the host forward packets, where a network needs that and it does not do so yet. Both switches are the whole host's, so what was changed is said.
 *
 * @param say is told in a line each
 * @throws {TsboxError} NO_FORWARDING where it cannot be switched on
 */
export function ensureForwarding(
  networks: readonly { internal: boolean; ipv6: boolean }[],
  say: (line: string) => void = () => {},
): void {
  for (const { settings, said } of missingForwarding(networks)) {
    for (const { path, value } of settings) write(path, value);
    say(said);
  }
}

/** A file of /proc/sys, and what is to be in it. */
export interface Setting {
  path: string;
  value: string;
}

/** What is to be set, in this order, and what is said of it then. */
export function missingForwarding(
  networks: readonly { internal: boolean; ipv6: boolean }[],
): { settings: Setting[]; said: string }[] {
  const outside = networks.filter(({ internal }) => !internal);
  const missing: { settings: Setting[]; said: string }[] = [];
  if (outside.length > 0 && read(IPV4) === '0')
    missing.push({
      settings: [{ path: IPV4, value: '1' }],
      said: 'net.ipv4.ip_forward is 1 now: the host forwards packets, which containers need to reach the outside',
    });
  if (outside.some(({ ipv6 }) => ipv6) && read(IPV6) === '0') {
    const advertised = advertisedRoutes();
    const also =
      advertised.length === 0 ? '' : ` (and accept_ra 2 on ${advertised.join(', ')}, to keep its own routes)`;
    missing.push({
      settings: [
        ...advertised.map((link) => ({ path: acceptRa(link), value: '2' })),
        { path: IPV6, value: '1' },
      ],
      said: `net.ipv6.conf.all.forwarding is 1 now${also}: the host forwards packets, which containers need to reach the outside`,
    });
  }
  return missing;
}

/**
 * Lets packets from 127.0.0.1 out to a bridge, and answers to it in again: for ports that are published there. Only after the rules that drop what containers send
 * there themselves (CVE-2020-8558).
 */
export function setRouteLocalnet(bridge: string): void {
  const { path, value } = routeLocalnet(bridge);
  if (read(path) === '0') write(path, value);
}

/** The same as a setting; undefined where it is set. One that is made has what `default` says. */
export function missingRouteLocalnet(bridge: string): Setting | undefined {
  const setting = routeLocalnet(bridge);
  const now = read(setting.path) ?? read(routeLocalnet('default').path);
  return now === '0' ? setting : undefined;
}

function routeLocalnet(bridge: string): Setting {
  return { path: `${SYS}/ipv4/conf/${bridge}/route_localnet`, value: '1' };
}

/**
 * A host that forwards takes no routes from router advertisements, and loses those that it has, unless accept_ra is 2 (ip-sysctl.rst of the kernel). Where a
 * default route came that way, that is seen to first.
 */
function advertisedRoutes(): string[] {
  return defaultRouteLinks().filter((link) => read(acceptRa(link)) === '1');
}

/** The links with a default route that a router advertised: flags RTF_DEFAULT and RTF_ADDRCONF of linux/ipv6_route.h. */
function defaultRouteLinks(): string[] {
  const there = new Set(list(`${SYS}/ipv6/conf`));
  const links = (read('/proc/net/ipv6_route') ?? '').split('\n').flatMap((line) => {
    const columns = line.trim().split(/\s+/);
    const advertised =
      (Number.parseInt(columns[8] ?? '0', 16) & RTF_ADVERTISED_DEFAULT) === RTF_ADVERTISED_DEFAULT;
    return advertised && there.has(columns[9] ?? '') ? [columns[9] as string] : [];
  });
  return [...new Set(links)];
}

const acceptRa = (link: string) => `${SYS}/ipv6/conf/${link}/accept_ra`;

function write(path: string, value: string): void {
  try {
    writeFileSync(path, value);
  } catch (error) {
    const name = path.slice('/proc/sys/'.length).replaceAll('/', '.');
    throw new TsboxError('NO_FORWARDING', `cannot set ${name} to ${value}: ${(error as Error).message}`, {
      advice: `set it where /proc/sys can be written (\`sysctl -w ${name}=${value}\`), or use --network none or host`,
      cause: error,
    });
  }
}

/** Undefined where there is no such file: without IPv6, and without the interface. */
function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch {
    return undefined;
  }
}

function list(path: string): string[] {
  try {
    return readdirSync(path);
  } catch {
    return [];
  }
}

const SYS = '/proc/sys/net';
const IPV4 = `${SYS}/ipv4/ip_forward`;
const IPV6 = `${SYS}/ipv6/conf/all/forwarding`;
const RTF_ADVERTISED_DEFAULT = 0x10000 | 0x40000;
