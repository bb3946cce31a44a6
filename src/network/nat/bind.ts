import { closeDescriptor, Errno, fields, O, syscall } from '../../kernel/index.ts';
import type { Protocol } from './port.ts';
import { addressBytes, NUMBERS } from './published-element.ts';

/**
 * A socket that is bound to a port of this host and does nothing else: nobody listens, so what is not led to a container is refused as if there were no socket.
 * Nobody else can have the port meanwhile, and it is not taken for outgoing connections.
 *
 * @returns the descriptor, which closes at exec, or a negative errno: EADDRINUSE, EADDRNOTAVAIL (no such address here), EAFNOSUPPORT (no IPv6),
 *   EPROTONOSUPPORT (no sctp)
 */
export function bindPort(address: string, port: number, protocol: Protocol): number {
  const fd = openSocket(address, protocol);
  if (fd < 0) return fd;
  let bound = -1;
  try {
    const doing = `hold port ${port}/${protocol}`;
    const name = socketAddress(address, port);
    const allow = [Errno.EADDRINUSE, Errno.EADDRNOTAVAIL, Errno.EINVAL];
    bound = syscall('bind', [fd, name, name.length], { doing, allow });
    if (bound === -Errno.EADDRINUSE && protocol === 'tcp' && bindOverRemains(fd, name, doing)) bound = 0;
    return bound < 0 ? bound : fd;
  } finally {
    if (bound < 0) closeDescriptor(fd);
  }
}

/** @returns the descriptor, or a negative errno */
function openSocket(address: string, protocol: Protocol): number {
  const isV6 = address.includes(':');
  const doing = `hold a port of ${protocol}`;
  const type = (protocol === 'udp' ? SOCK_DGRAM : SOCK_STREAM) | O.O_CLOEXEC;
  const allow = [Errno.EAFNOSUPPORT, Errno.EPROTONOSUPPORT, Errno.ESOCKTNOSUPPORT];
  const args = [isV6 ? AF_INET6 : AF_INET, type, NUMBERS[protocol]];
  const fd = syscall('socket', args, { doing, allow });
  if (fd < 0) return fd;
  // `::` would be IPv4 too.
  if (isV6) syscall('setsockopt', [fd, IPPROTO_IPV6, IPV6_V6ONLY, ONE, ONE.length], { doing });
  // What comes before the rules are there is kept for nobody.
  if (protocol === 'udp') syscall('setsockopt', [fd, SOL_SOCKET, SO_RCVBUF, ZERO, ZERO.length], { doing });
  return fd;
}

/**
 * Binds where only connections that have ended (TIME_WAIT, a minute) have the port, as a server does with SO_REUSEADDR. That alone would let somebody else who does the same
 * have it, too; but to listen is granted to one only. So it listens for a moment, stops by connect(2) to AF_UNSPEC, which keeps the port, and takes the option back.
 */
function bindOverRemains(fd: number, name: Uint8Array, doing: string): boolean {
  const context = { doing, allow: [Errno.EADDRINUSE] };
  syscall('setsockopt', [fd, SOL_SOCKET, SO_REUSEADDR, ONE, ONE.length], { doing });
  if (syscall('bind', [fd, name, name.length], context) < 0) return false;
  if (syscall('listen', [fd, 0], context) < 0) return false;
  const unspecified = new Uint8Array(name.length);
  syscall('connect', [fd, unspecified, unspecified.length], { doing });
  syscall('setsockopt', [fd, SOL_SOCKET, SO_REUSEADDR, ZERO, ZERO.length], { doing });
  return true;
}

/** struct sockaddr_in and sockaddr_in6: family, port in network order, for IPv6 a flow label, the address. */
function socketAddress(address: string, port: number): Uint8Array {
  const isV6 = address.includes(':');
  const bytes = new Uint8Array(isV6 ? 28 : 16);
  fields(bytes).setUint16(0, isV6 ? AF_INET6 : AF_INET, true);
  fields(bytes).setUint16(2, port);
  bytes.set(addressBytes(address), isV6 ? 8 : 4);
  return bytes;
}

const AF_INET = 2;
const AF_INET6 = 10;
const SOCK_STREAM = 1;
const SOCK_DGRAM = 2;
const SOL_SOCKET = 1;
const SO_REUSEADDR = 2;
const SO_RCVBUF = 8;
const IPPROTO_IPV6 = 41;
const IPV6_V6ONLY = 26;
const ONE = Uint8Array.of(1, 0, 0, 0);
const ZERO = new Uint8Array(4);
