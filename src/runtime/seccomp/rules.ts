import type { Seccomp } from '../spec.ts';
import { returnValue } from './actions.ts';
import { type Architecture, multiplexed, syscallNumberOn } from './syscalls.ts';

/** One comparison of an argument; `mask` makes it `(argument & mask) == value`. */
export interface Condition {
  index: number;
  op: string;
  value: bigint;
  mask: bigint | undefined;
}

/** What a call returns where all conditions hold. */
export interface Rule {
  conditions: Condition[];
  value: number;
}

/** A profile, seen from one architecture: the rules of each number, and the largest ordinary number that any rule names. */
export interface Rules {
  byNumber: Map<number, Rule[]>;
  largest: number | undefined;
}

/** The width of an argument. x32 has 64-bit registers, but 32-bit arguments, and libseccomp compares those. */
export function bitsOf(architecture: Architecture): 32 | 64 {
  return architecture === 'x86_64' || architecture === 'aarch64' ? 64 : 32;
}

/** ARM's private calls (__ARM_NR_BASE, arch/arm/include/uapi/asm/unistd.h) have numbers that say nothing about their age. */
export const ARM_PRIVATE = 0xf0000;

/**
 * The profile's rules by number on one architecture. Names that it does not have are left out, as runc does: a profile lists
 * what any kernel may know.
 */
export function rulesOf(seccomp: Seccomp, architecture: Architecture): Rules {
  const byNumber = new Map<number, Rule[]>();
  const fallback = returnValue(seccomp.defaultAction, seccomp.defaultErrnoRet);
  let largest: number | undefined;
  for (const { names, action, errnoRet, args } of seccomp.syscalls ?? []) {
    const value = returnValue(action, errnoRet);
    for (const name of names) {
      const number = syscallNumberOn(architecture, name);
      if (number !== undefined && number < ARM_PRIVATE) largest = Math.max(largest ?? 0, number);
      // runc and libseccomp leave such a rule out, so one that says otherwise about the same call counts, whichever comes first.
      if (value === fallback) continue;
      for (const conditions of alternatives(args ?? [])) {
        if (number !== undefined) add(byNumber, number, { conditions, value }, bitsOf(architecture));
        if (architecture === 'x86') addMultiplexed(byNumber, name, { conditions, value });
      }
    }
  }
  return { byNumber, largest };
}

/**
 * i386 has a second way to the socket and IPC calls, and a rule must hold there too, or it could be walked around. The first
 * argument says which call it is; a condition on the call's own first argument cannot be kept, as that one is behind a pointer
 * (the same is in libseccomp).
 */
function addMultiplexed(byNumber: Map<number, Rule[]>, name: string, { conditions, value }: Rule): void {
  const through = multiplexed(name);
  const number = through && syscallNumberOn('x86', through.through);
  if (through === undefined || number === undefined) return;
  const which = { index: 0, op: 'SCMP_CMP_EQ', value: BigInt(through.call), mask: undefined };
  add(byNumber, number, { conditions: [which, ...conditions.filter(({ index }) => index !== 0)], value }, 32);
}

/** A rule without conditions covers every one with; of two without, the first counts. So libseccomp has it. */
function add(
  byNumber: Map<number, Rule[]>,
  number: number,
  { conditions, value }: Rule,
  bits: 32 | 64,
): void {
  const rules = byNumber.get(number) ?? [];
  // To compare no bit with nothing is no condition.
  const rule = { conditions: conditions.filter((condition) => !isAlwaysTrue(condition, bits)), value };
  if (rules.some(({ conditions }) => conditions.length === 0)) return;
  byNumber.set(number, rule.conditions.length === 0 ? [rule] : [...rules, rule]);
}

function isAlwaysTrue({ mask, value }: Condition, bits: 32 | 64): boolean {
  return mask !== undefined && BigInt.asUintN(bits, mask) === 0n && BigInt.asUintN(bits, value) === 0n;
}

/**
 * All conditions of a rule must hold. But where one argument appears twice, each condition is a rule of its own: runc has kept that
 * from its early days, when all conditions were alternatives, and profiles rely on it.
 */
function alternatives(args: NonNullable<NonNullable<Seccomp['syscalls']>[number]['args']>): Condition[][] {
  const conditions = args.map(({ index, op, value, valueTwo }) =>
    op === 'SCMP_CMP_MASKED_EQ'
      ? { index, op, value: BigInt(valueTwo ?? 0), mask: BigInt(value) }
      : { index, op, value: BigInt(value), mask: undefined },
  );
  const twice = new Set(conditions.map(({ index }) => index)).size < conditions.length;
  return twice ? conditions.map((condition) => [condition]) : [conditions];
}
