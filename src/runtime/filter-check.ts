import { syscallNumber } from '../kernel/index.ts';
import type { Step } from '../launch/index.ts';
import type { SeccompFilter } from './identity.ts';
import { passesFilter } from './seccomp/evaluate.ts';

/** Whether a filter would let a step pass. What is an address is of no concern to it. */
export function passes({ filter, listener }: SeccompFilter, { call, args }: Step): boolean {
  const answered = listener !== undefined;
  const numbers = args.map((argument) => {
    if (typeof argument === 'number' || typeof argument === 'bigint') return argument;
    return argument !== null && typeof argument === 'object' && 'value' in argument ? argument.value : 0;
  });
  if (call === 'decimal') return true;
  // As await_child of native/launch.c begins.
  if (call === 'await') return passesFilter(filter, syscallNumber('pidfd_open'), [], answered);
  return passesFilter(filter, call === 'clone' ? CLONE_NUMBER : syscallNumber(call), numbers, answered);
}

const CLONE_NUMBER = process.arch === 'arm64' ? 220 : 56;
