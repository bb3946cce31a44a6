import { closeDescriptor, O, syscall } from '../kernel/index.ts';
import { failure } from './state.ts';

/**
 * Connects to a Unix socket that takes a descriptor. unix(7)
 *
 * @param what it is called where it was given: `--console-socket`
 */
export function connectSocket(path: string, what: string): number {
  const bytes = Buffer.from(path);
  if (bytes.length > 107) throw failure('BAD_OPTION', `${what}: longer than 107 bytes: ${path}`);
  const address = Buffer.alloc(110);
  address.writeUInt16LE(AF_UNIX, 0);
  bytes.copy(address, 2);
  const socket = syscall('socket', [AF_UNIX, SOCK_STREAM | O.O_CLOEXEC, 0], { doing: 'make a socket' });
  try {
    syscall('connect', [socket, address, address.length], { doing: `connect to ${what}`, path });
    return socket;
  } catch (error) {
    closeDescriptor(socket);
    throw error;
  }
}

const AF_UNIX = 1;
const SOCK_STREAM = 1;
