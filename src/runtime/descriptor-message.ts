import type { Slot, Struct } from '../launch/index.ts';

/**
 * `struct msghdr` of a message with one descriptor: SCM_RIGHTS, unix(7).
 *
 * @param vector a `struct iovec` of what is said with it
 */
export function descriptorMessage(vector: Struct, fd: Slot, text: string): Struct {
  const control = Buffer.alloc(24);
  control.writeBigUInt64LE(20n, 0);
  control.writeInt32LE(1, 8);
  control.writeInt32LE(1, 12);
  const bytes = Buffer.alloc(56);
  bytes.writeBigUInt64LE(1n, 24);
  bytes.writeBigUInt64LE(24n, 40);
  return {
    bytes,
    text,
    pointers: [
      { offset: 16, to: vector },
      { offset: 32, to: { bytes: control, text: 'cmsg', slots: [{ offset: 16, slot: fd, width: 4 }] } },
    ],
  };
}
