import { O } from './constants.ts';
import { fields } from './fields.ts';
import { syscall } from './syscall.ts';

/** A pipe whose ends close at exec (pipe2(2)). Node has no call that makes one. */
export function pipe(): { read: number; write: number } {
  const fds = Buffer.alloc(8);
  syscall('pipe2', [fds, O.O_CLOEXEC], { doing: 'make a pipe' });
  return { read: fields(fds).getInt32(0, true), write: fields(fds).getInt32(4, true) };
}

/**
 * Two connected Unix sockets, which can carry descriptors (socketpair(2), SCM_RIGHTS of unix(7)).
 *
 * @param kind only a `stream` tells of the other end's closing
 */
export function socketPair(kind: 'datagram' | 'stream' = 'datagram'): [number, number] {
  const fds = Buffer.alloc(8);
  const type = kind === 'stream' ? SOCK_STREAM : SOCK_DGRAM;
  syscall('socketpair', [AF_UNIX, type | O.O_CLOEXEC, 0, fds], { doing: 'make a socket pair' });
  return [fields(fds).getInt32(0, true), fields(fds).getInt32(4, true)];
}

const AF_UNIX = 1;
const SOCK_STREAM = 1;
const SOCK_DGRAM = 2;
