import { Errno } from './errno.ts';
import { fields } from './fields.ts';
import { syscall } from './syscall.ts';

/**
 * Waits for what `waitReadable` and `waitHangUp` wait for, but in this thread, in which nothing else happens meanwhile. It comes back early
 * when a signal arrives, so that Node can see to it. Without an epoll and the threads of libuv's pool it is quicker by 2 ms.
 *
 * @returns whether it has happened; if not, ask again in the other way
 */
export function waitHere(fd: number, what: 'readable' | 'hang-up', milliseconds: number): boolean {
  // struct pollfd and struct timespec, poll(2).
  const memory = Buffer.alloc(24);
  const words = fields(memory);
  words.setInt32(0, fd, true);
  words.setInt16(4, what === 'readable' ? POLLIN : 0, true);
  words.setInt32(8, Math.floor(milliseconds / 1000), true);
  words.setInt32(16, (milliseconds % 1000) * 1e6, true);
  const context = { doing: 'wait for a descriptor', allow: [Errno.EINTR] };
  return syscall('ppoll', [memory, 1, memory.subarray(8), null, 8], context) === 1;
}

const POLLIN = 1;
