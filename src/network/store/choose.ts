import { randomHex, TsboxError } from '../../kernel/index.ts';
import {
  contains,
  formatPrefix,
  nthAddress,
  overlaps,
  type Prefix,
  parseAddressWithLength,
  parsePrefix,
  prefixOf,
} from '../address/index.ts';

/** A subnet that is taken, and whose it is. */
export interface Taken {
  prefix: Prefix;
  /** Undefined: the host's own. */
  network?: string;
}

/** What the host has addresses in or routes to. Not the default route, and not what every link has (RFC 4291, 2.5.6 and 2.7). */
export function takenByHost(subnets: readonly string[]): Taken[] {
  return subnets
    .map((text) => {
      const { address, length } = parseAddressWithLength(text);
      return { prefix: prefixOf(address, length) };
    })
    .filter(({ prefix }) => prefix.length > 0 && !EVERYWHERE.some((each) => contains(each, prefix)));
}

/**
 * The first subnet that nobody has.
 *
 * @param kind `default`: the /16 of the default network; `own`: a /24 for a network that somebody makes
 * @throws {TsboxError} NO_SUBNET_LEFT
 */
export function chooseIpv4(kind: 'default' | 'own', taken: readonly Taken[]): Prefix {
  const length = kind === 'default' ? 16 : 24;
  if (kind === 'default' && isFree(PREFERRED, taken)) return PREFERRED;
  for (const pool of POOLS) {
    for (let at = 0; at < 2 ** (length - pool.length); at++) {
      const first = nthAddress(pool, BigInt(at) << BigInt(32 - length));
      const candidate = prefixOf(first, length);
      if (isFree(candidate, taken)) return candidate;
    }
  }
  throw new TsboxError('NO_SUBNET_LEFT', 'there is no free subnet left for a network', {
    advice: 'remove networks that are not used (tsbox network prune), or choose one: --subnet',
  });
}

/** A /64 of this host's own, which nobody else is likely to have (RFC 4193). */
export function chooseIpv6(taken: readonly Taken[]): Prefix {
  for (;;) {
    const [one, two, three, four] = `fd${randomHex(14)}`.match(/.{4}/g) as string[];
    const candidate = parsePrefix(`${one}:${two}:${three}:${four}::/64`);
    if (isFree(candidate, taken)) return candidate;
  }
}

/**
 * Whether somebody can have the subnet that he asks for.
 *
 * @throws {TsboxError} SUBNET_OVERLAP, which names the network or what the host has
 */
export function checkFree(prefix: Prefix, taken: readonly Taken[]): void {
  const network = taken.find((each) => each.network !== undefined && overlaps(each.prefix, prefix));
  if (network !== undefined)
    throw new TsboxError(
      'SUBNET_OVERLAP',
      `subnet ${formatPrefix(prefix)} overlaps ${formatPrefix(network.prefix)} of network ${network.network}`,
      { advice: 'choose another one, or none: then a free one is taken' },
    );
  // What is larger, such as a VPN's 10.0.0.0/8, goes on to lead everywhere else: that was asked for.
  const own = taken.find((each) => contains(prefix, each.prefix));
  if (own !== undefined)
    throw new TsboxError(
      'SUBNET_OVERLAP',
      `subnet ${formatPrefix(prefix)} overlaps ${formatPrefix(own.prefix)}, which this host has a route to: it would no longer reach it`,
      { advice: 'choose another one, or none: then a free one is taken' },
    );
}

function isFree(candidate: Prefix, taken: readonly Taken[]): boolean {
  return !taken.some(({ prefix }) => overlaps(prefix, candidate));
}

const PREFERRED = parsePrefix('10.87.0.0/16');
const POOLS = ['10.80.0.0/13', '172.16.0.0/12', '192.168.0.0/16'].map(parsePrefix);
const EVERYWHERE = ['fe80::/10', 'ff00::/8', '::1/128', '127.0.0.0/8', '224.0.0.0/4'].map(parsePrefix);
