import { KernelError } from './error.ts';
import { native, type SyscallArgument } from './ffi.ts';
import { type SyscallName, syscallNumber } from './numbers.ts';

/** What an error of the call should say, and which errnos are an answer rather than an error. */
export interface SyscallContext {
  path?: string | undefined;
  /** What we were trying to do: "unpack the layer". */
  doing?: string;
  /** Errnos that are returned as a negative number instead of thrown. */
  allow?: readonly number[];
}

/**
 * Makes a system call in this thread and returns its result.
 *
 * @throws {KernelError} with the call's name and errno
 */
export function syscall(
  name: SyscallName,
  args: readonly SyscallArgument[],
  context: SyscallContext = {},
): number {
  for (;;) {
    const result = native().syscall(syscallNumber(name), ...args);
    if (result >= 0) return result;
    if (result === -EINTR && !context.allow?.includes(EINTR)) continue;
    if (context.allow?.includes(-result)) return result;
    throw new KernelError(name, -result, context);
  }
}

/** A NUL-terminated string for the kernel. Bytes that are not UTF-8 (names in a tar) are passed as they are. */
export function cString(text: string | Uint8Array): Buffer {
  const bytes = typeof text === 'string' ? Buffer.from(text) : text;
  const terminated = Buffer.alloc(bytes.length + 1);
  terminated.set(bytes);
  return terminated;
}

const EINTR = 4;
