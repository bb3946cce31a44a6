import { Errno } from '../errno.ts';
import { fields } from '../fields.ts';
import { cString, syscall } from '../syscall.ts';

/**
 * What is asked most about interfaces, by the old ioctls of netdevice(7), which any socket takes. Unlike a message of rtnetlink they do not wait for the kernel's
 * one lock for all links of all namespaces (rtnl), which is held for milliseconds while the kernel takes a container's namespace apart.
 */

/** The number of an interface in the socket's namespace. Undefined where there is none of that name. */
export function interfaceIndex(socket: number, name: string): number | undefined {
  const request = ask(socket, SIOCGIFINDEX, name);
  return request && fields(request).getInt32(VALUE, true);
}

/** Whether it is up, and whether it takes packets: its other end is up too, and the kernel has seen that. */
export function interfaceState(socket: number, name: string): { up: boolean; running: boolean } {
  const request = ask(socket, SIOCGIFFLAGS, name);
  const flags = request === undefined ? 0 : fields(request).getUint16(VALUE, true);
  return { up: (flags & IFF_UP) !== 0, running: (flags & IFF_RUNNING) !== 0 };
}

/** struct ifreq: name 16, then what is asked for. */
function ask(socket: number, request: number, name: string): Uint8Array | undefined {
  const struct = new Uint8Array(40);
  struct.set(cString(name).subarray(0, VALUE - 1));
  const context = { doing: `look for the interface ${name}`, allow: [Errno.ENODEV] };
  return syscall('ioctl', [socket, request, struct], context) < 0 ? undefined : struct;
}

const SIOCGIFFLAGS = 0x8913;
const SIOCGIFINDEX = 0x8933;
const VALUE = 16;
const IFF_UP = 1;
const IFF_RUNNING = 0x40;
