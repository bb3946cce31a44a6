import { closeDescriptor, O, syscall } from '../kernel/index.ts';
import { failure } from './state.ts';

/** Connects to the socket that takes the master end of the terminal (`--console-socket`). unix(7) */
export function connectConsole(path: string): number {
  const bytes = Buffer.from(path);
  if (bytes.length > 107) throw failure('BAD_OPTION', `--console-socket: longer than 107 bytes: ${path}`);
  const address = Buffer.alloc(110);
  address.writeUInt16LE(AF_UNIX, 0);
  bytes.copy(address, 2);
  const socket = syscall('socket', [AF_UNIX, SOCK_STREAM | O.O_CLOEXEC, 0], { doing: 'make a socket' });
  try {
    syscall('connect', [socket, address, address.length], { doing: 'connect to --console-socket', path });
    return socket;
  } catch (error) {
    closeDescriptor(socket);
    throw error;
  }
}

const AF_UNIX = 1;
const SOCK_STREAM = 1;
