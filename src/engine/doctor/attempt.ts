import { native, type SyscallArgument, type SyscallName, syscallNumber } from '../../kernel/index.ts';

/** A system call whose failure is the answer: its errno, 0 where it worked. */
export function attempt(name: SyscallName, args: SyscallArgument[]): { error: number; result: number } {
  const result = native().syscall(syscallNumber(name), ...args);
  return { error: result < 0 ? -result : 0, result };
}

/** The same of a call whose result is a descriptor, which is closed. */
export function opened(name: SyscallName, args: SyscallArgument[]): number {
  const { error, result } = attempt(name, args);
  if (error === 0) attempt('close', [result]);
  return error;
}
