import { TsboxError } from '../../kernel/index.ts';
import { didYouMean } from '../../suggest.ts';
import { parseAddress } from '../address/index.ts';
import type { Network } from './network.ts';

/** What the options of a network mean. */
export interface NetworkSettings {
  /** Bytes; undefined: that of the link that leads out. */
  mtu?: number;
  /** Whether connections to the outside have the host's address (NAT), by family; otherwise others must know the way back. */
  masquerade: { 4: boolean; 6: boolean };
  /** Whether its containers reach each other. */
  communication: boolean;
  /** The host's address that ports are published at where none is given. */
  publishAt?: string;
  /** Of macvlan: `bridge` (default), `vepa`, `passthru`, `private`; of ipvlan: `l2` (default), `l3`, `l3s`. */
  mode?: string;
}

export function networkSettings({ driver, options }: Pick<Network, 'driver' | 'options'>): NetworkSettings {
  const read = (name: string) => options[name];
  const nat = (family: 4 | 6) => {
    const gatewayMode = read(`${BRIDGE}gateway_mode_ipv${family}`);
    // NAT66 only where it was asked for: an address of IPv6 is there to be seen.
    return gatewayMode === undefined ? family === 4 : gatewayMode === 'nat';
  };
  const masquerade = isTrue(read(`${BRIDGE}enable_ip_masquerade`) ?? 'true');
  const mtu = read(MTU) ?? read('mtu');
  const publishAt = read(`${BRIDGE}host_binding_ipv4`);
  return {
    ...(mtu !== undefined && { mtu: Number(mtu) }),
    masquerade: { 4: masquerade && nat(4), 6: masquerade && nat(6) },
    communication: isTrue(read(`${BRIDGE}enable_icc`) ?? 'true'),
    ...(publishAt !== undefined && { publishAt }),
    ...(driver === 'macvlan' && { mode: read('macvlan_mode') ?? read('mode') ?? 'bridge' }),
    ...(driver === 'ipvlan' && { mode: read('ipvlan_mode') ?? read('mode') ?? 'l2' }),
  };
}

/** The name of an interface that was asked for: of the bridge, or of the link to share. */
export function askedInterface({ driver, options }: Pick<Network, 'driver' | 'options'>): string | undefined {
  return driver === 'bridge' ? options[`${BRIDGE}name`] : options.parent;
}

/** @throws {TsboxError} BAD_OPTION */
export function checkNetworkOptions(driver: Network['driver'], options: Record<string, string>): void {
  const known = KNOWN[driver];
  for (const [name, value] of Object.entries(options)) {
    const check = Object.hasOwn(known, name) ? known[name] : undefined;
    if (check === undefined) {
      const names = Object.keys(known);
      const meant = didYouMean(name, names);
      throw bad(
        name,
        value,
        `${driver} has no such option${meant}`,
        meant === '' ? names.join(', ') : undefined,
      );
    }
    const problem = check(value);
    if (problem !== undefined) throw bad(name, value, problem);
  }
  if (driver !== 'bridge' && options.parent === undefined)
    throw new TsboxError('BAD_OPTION', `${driver} needs a link of the host to share`, {
      advice: '-o parent=eth0',
    });
}

const BRIDGE = 'com.docker.network.bridge.';
const MTU = 'com.docker.network.driver.mtu';

/** What is wrong with a value. */
type Check = (value: string) => string | undefined;

const oneOf =
  (...words: string[]): Check =>
  (value) =>
    words.includes(value) ? undefined : `not ${words.join(', ')}${didYouMean(value, words)}`;
const truth: Check = (value) => (/^(true|false|1|0)$/.test(value) ? undefined : 'not true or false');
/** dev_valid_name() of the kernel, and 15 bytes (IFNAMSIZ); `%` would be a pattern, which the kernel fills in. */
const link: Check = (value) =>
  /^[\x21-\x7e]{1,15}$/.test(value) && !/[/:%]/.test(value) && value !== '.' && value !== '..'
    ? undefined
    : 'not the name of an interface (1 to 15 characters, without spaces, /, : and %)';
/** IPv4 needs 68 (RFC 791); 65535 is the most of a bridge (ETH_MAX_MTU). */
const mtu: Check = (value) =>
  /^\d{2,5}$/.test(value) && Number(value) >= 68 && Number(value) <= 65535
    ? undefined
    : 'not from 68 to 65535';
const hostAddress: Check = (value) => (parseAddress(value)?.family === 4 ? undefined : 'not an IPv4 address');

const KNOWN: Record<Network['driver'], Record<string, Check>> = {
  bridge: {
    mtu,
    [MTU]: mtu,
    [`${BRIDGE}name`]: link,
    [`${BRIDGE}enable_ip_masquerade`]: truth,
    [`${BRIDGE}enable_icc`]: truth,
    [`${BRIDGE}host_binding_ipv4`]: hostAddress,
    [`${BRIDGE}gateway_mode_ipv4`]: oneOf('nat', 'routed'),
    [`${BRIDGE}gateway_mode_ipv6`]: oneOf('nat', 'routed'),
  },
  macvlan: {
    mtu,
    [MTU]: mtu,
    parent: link,
    mode: oneOf('bridge', 'vepa', 'passthru', 'private'),
    macvlan_mode: oneOf('bridge', 'vepa', 'passthru', 'private'),
  },
  ipvlan: {
    mtu,
    [MTU]: mtu,
    parent: link,
    mode: oneOf('l2', 'l3', 'l3s'),
    ipvlan_mode: oneOf('l2', 'l3', 'l3s'),
  },
};

function isTrue(value: string): boolean {
  return value === 'true' || value === '1';
}

function bad(name: string, value: string, problem: string, advice?: string): TsboxError {
  const text = JSON.stringify(`${name}=${value}`.slice(0, 120));
  return new TsboxError('BAD_OPTION', `--opt ${text}: ${problem}`, advice === undefined ? {} : { advice });
}
