import { closeDescriptor, Errno, errnoMessage, TsboxError } from '../../kernel/index.ts';
import { bindPort } from './bind.ts';
import type { BoundPort, PublishedPort } from './port.ts';
import { portInUse } from './port-holder.ts';
import { outside } from './ports-text.ts';

export interface Reservation {
  ports: BoundPort[];
  /** Sockets that are bound and do not listen, one for each of `ports`. They close at exec. The ports are ours for as long as somebody has them. */
  descriptors: number[];
}

export interface ReserveOptions {
  /** Whether the container has an address of IPv6: then a port without an address of the host is published at `::` too. Default true. */
  ipv6?: boolean;
  /** Whether it has one of IPv4. Default true. */
  ipv4?: boolean;
  /** The host's address where none is asked for. */
  defaultAddress?: string;
  /** What a container is called, for messages. */
  nameOf?: (id: string) => string | undefined;
}

/**
 * Holds ports of the host for a container, so that a port that is taken is found before anything is started. All of them, or none.
 *
 * @throws {TsboxError} PORT_IN_USE, which names who has it; BAD_ADDRESS, NO_IPV6, NO_SCTP
 */
export function reservePorts(asked: readonly PublishedPort[], options: ReserveOptions = {}): Reservation {
  const held: Reservation = { ports: [], descriptors: [] };
  try {
    // Those with a choice last, so that they do not take what another needs.
    for (const port of [...unique(asked)].sort((a, b) => choices(a) - choices(b)))
      reserve(port, addressesFor(port, options), options, held);
  } catch (error) {
    held.descriptors.forEach(closeDescriptor);
    throw error;
  }
  return held;
}

export function unique(asked: readonly PublishedPort[]): Iterable<PublishedPort> {
  const text = (port: PublishedPort) =>
    [
      port.hostAddress,
      port.hostPort ?? Math.random(),
      port.hostPortEnd,
      port.containerPort,
      port.protocol,
    ].join();
  return new Map(asked.map((port) => [text(port), port])).values();
}

function choices({ hostPort, hostPortEnd }: PublishedPort): number {
  if (hostPort === undefined) return 2;
  return hostPortEnd === undefined ? 0 : 1;
}

/** The host's addresses that a port is published at. @throws {TsboxError} NO_IPV6, BAD_ADDRESS */
export function addressesFor(port: PublishedPort, options: ReserveOptions): string[] {
  const { ipv4 = true, ipv6 = true, defaultAddress } = options;
  const address = port.hostAddress ?? defaultAddress;
  if (address === undefined) return [...(ipv4 ? ['0.0.0.0'] : []), ...(ipv6 ? ['::'] : [])];
  if (address === '::1') {
    throw new TsboxError('BAD_ADDRESS', 'cannot publish a port at [::1]: the kernel drops answers to it', {
      advice: 'publish it at 127.0.0.1, which localhost is too',
    });
  }
  const isV6 = address.includes(':');
  if (isV6 ? ipv6 : ipv4) return [address];
  throw new TsboxError(
    isV6 ? 'NO_IPV6' : 'NO_IPV4',
    `cannot publish a port at ${isV6 ? `[${address}]` : address}: the container's network has no ${isV6 ? 'IPv6' : 'IPv4'}`,
    isV6 ? { advice: 'make a network with IPv6: tsbox network create --ipv6 NAME' } : {},
  );
}

function reserve(
  asked: PublishedPort,
  addresses: readonly string[],
  { nameOf }: ReserveOptions,
  held: Reservation,
): void {
  for (const hostPort of candidates(asked)) {
    const taken = bindAll(asked, addresses, hostPort, held);
    if (taken === undefined) return;
    const only = asked.hostPort === hostPort && asked.hostPortEnd === undefined;
    if (only) throw portInUse({ ...asked, hostAddress: taken, hostPort }, held.ports, nameOf);
  }
  const { hostPort = EPHEMERAL.first, hostPortEnd = EPHEMERAL.last, protocol } = asked;
  throw new TsboxError(
    'PORT_IN_USE',
    `all ports from ${hostPort} to ${hostPortEnd}/${protocol} of the host are in use`,
  );
}

/** At all of the addresses, or at none: then the one where it is in use. */
function bindAll(
  { containerPort, protocol }: PublishedPort,
  addresses: readonly string[],
  hostPort: number,
  held: Reservation,
): string | undefined {
  const before = held.descriptors.length;
  for (const hostAddress of addresses) {
    const fd = bindPort(hostAddress, hostPort, protocol);
    if (fd >= 0) {
      held.ports.push({ hostAddress, hostPort, containerPort, protocol });
      held.descriptors.push(fd);
      continue;
    }
    // A host without IPv6.
    if (-fd === Errno.EAFNOSUPPORT && hostAddress === '::') continue;
    held.descriptors.splice(before).forEach(closeDescriptor);
    held.ports.splice(before);
    if (-fd === Errno.EADDRINUSE) return hostAddress;
    throw cannotHold(-fd, { hostAddress, hostPort, containerPort, protocol });
  }
  return undefined;
}

function cannotHold(errno: number, port: BoundPort): TsboxError {
  const { protocol, hostAddress } = port;
  if (protocol === 'sctp' && hostAddress !== '' && errno !== Errno.EADDRNOTAVAIL) {
    return new TsboxError('NO_SCTP', `cannot publish ${outside(port)}/sctp: this kernel has no SCTP`, {
      advice: 'modprobe sctp, where it is a module of the kernel',
    });
  }
  const problem =
    errno === Errno.EADDRNOTAVAIL || errno === Errno.EINVAL
      ? `no interface of this host has the address ${hostAddress}`
      : errnoMessage(errno);
  return new TsboxError('BAD_ADDRESS', `cannot publish ${outside(port)}/${protocol}: ${problem}`);
}

function* candidates({ hostPort, hostPortEnd }: PublishedPort): Generator<number> {
  if (hostPort !== undefined) {
    for (let port = hostPort; port <= (hostPortEnd ?? hostPort); port++) yield port;
    return;
  }
  const count = EPHEMERAL.last - EPHEMERAL.first + 1;
  // From anywhere, so that two that ask at once do not try the same ones.
  const start = Math.floor(Math.random() * count);
  for (let at = 0; at < count; at++) yield EPHEMERAL.first + ((start + at) % count);
}

/** RFC 6335, without its first: as in Docker. */
const EPHEMERAL = { first: 49153, last: 65535 };
