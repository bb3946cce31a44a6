import { Errno } from './errno.ts';
import { native } from './ffi.ts';
import { syscall } from './syscall.ts';

/**
 * Receives a descriptor that was sent over a Unix socket (SCM_RIGHTS, unix(7)), without waiting. It closes at exec.
 *
 * @returns undefined where no message is there
 * @throws {KernelError}
 */
export function receiveDescriptor(socket: number): number | undefined {
  const data = Buffer.alloc(16);
  const vector = Buffer.alloc(16);
  vector.writeBigUInt64LE(native().address(data), 0);
  vector.writeBigUInt64LE(1n, 8);
  const control = Buffer.alloc(32);
  const message = Buffer.alloc(56);
  message.writeBigUInt64LE(native().address(vector), 16);
  message.writeBigUInt64LE(1n, 24);
  message.writeBigUInt64LE(native().address(control), 32);
  message.writeBigUInt64LE(BigInt(CONTROL_LENGTH), 40);
  const length = syscall('recvmsg', [socket, message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC], {
    doing: 'receive a descriptor',
    allow: [Errno.EAGAIN],
  });
  // The kernel fills memory that `message` only points to: the buffers must still be referenced here.
  const [level, type] = [control.readInt32LE(8), control.readInt32LE(12)];
  if (length !== 1 || data.length === 0 || vector.length === 0) return undefined;
  return level === SOL_SOCKET && type === SCM_RIGHTS ? control.readInt32LE(16) : undefined;
}

const MSG_DONTWAIT = 0x40;
const MSG_CMSG_CLOEXEC = 0x40000000;
const SOL_SOCKET = 1;
const SCM_RIGHTS = 1;
/** CMSG_SPACE of one descriptor. */
const CONTROL_LENGTH = 24;
