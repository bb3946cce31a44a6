import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { closeDescriptor, fields, O, syscall } from '../../kernel/index.ts';
import { containersDirectory } from '../paths.ts';

/**
 * The socket for `attach` in a container's directory, listening; the monitor accepts. It is bound through /proc/self/fd because
 * an address has 108 bytes, and a store may be anywhere (unix(7)).
 *
 * @param directory the descriptor of the container's directory
 * @returns its descriptor, to be closed with closeDescriptor
 */
export function listenForAttach(id: string, directory: number): number {
  rmSync(join(containersDirectory(), id, 'attach'), { force: true });
  const context = { doing: 'make the socket for attach' };
  const fd = syscall('socket', [AF_UNIX, SOCK_STREAM | O.O_CLOEXEC | O.O_NONBLOCK, 0], context);
  try {
    const address = Buffer.alloc(110);
    fields(address).setUint16(0, AF_UNIX, true);
    address.write(`/proc/self/fd/${directory}/attach`, 2);
    syscall('bind', [fd, address, address.length], context);
    syscall('listen', [fd, 64], context);
    return fd;
  } catch (error) {
    closeDescriptor(fd);
    throw error;
  }
}

const AF_UNIX = 1;
const SOCK_STREAM = 1;
