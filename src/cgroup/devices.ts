import { badLimit, within } from './bounds.ts';
import { Program, type Rule } from './instructions.ts';
import type { DeviceRule } from './resources.ts';

/**
 * What a container may do with devices unless told otherwise: make any node (which is of no use without the right to open it), and use those
 * that every container has. Source: OCI runtime-spec, config-linux.md, "Default Devices"; the same list as Docker's.
 */
export const DEFAULT_DEVICE_RULES: readonly DeviceRule[] = [
  { allow: false, access: 'rwm' },
  { allow: true, type: 'c', access: 'm' },
  { allow: true, type: 'b', access: 'm' },
  { allow: true, type: 'c', major: 1, minor: 3, access: 'rwm' }, // null
  { allow: true, type: 'c', major: 1, minor: 5, access: 'rwm' }, // zero
  { allow: true, type: 'c', major: 1, minor: 7, access: 'rwm' }, // full
  { allow: true, type: 'c', major: 1, minor: 8, access: 'rwm' }, // random
  { allow: true, type: 'c', major: 1, minor: 9, access: 'rwm' }, // urandom
  { allow: true, type: 'c', major: 5, minor: 0, access: 'rwm' }, // tty
  { allow: true, type: 'c', major: 5, minor: 1, access: 'rwm' }, // console
  { allow: true, type: 'c', major: 5, minor: 2, access: 'rwm' }, // ptmx
  { allow: true, type: 'c', major: 136, access: 'rwm' }, // pts
];

/**
 * Compiles device rules to the eBPF program that cgroup v2 has in place of v1's devices controller.
 *
 * For each of read, write and mknod in a request, the last rule that covers the device and that access decides; where none does, it is denied. The
 * request is granted if all of it is. (Deciding for the request as a whole would let one for reading and writing pass a rule
 * that denies only writing.)
 *
 * @returns the instructions, or undefined where everything is allowed and so no program is needed
 * @throws {TsboxError} BAD_LIMIT for a malformed rule
 */
export function deviceProgram(rules: readonly DeviceRule[]): Buffer | undefined {
  const { otherwise, exceptions } = simplify(rules.map(parse));
  if (otherwise && exceptions.length === 0) return undefined;
  const program = new Program();
  program.begin();
  for (const rule of exceptions.reverse()) program.rule(rule);
  program.verdict(otherwise);
  return program.bytes();
}

/** linux/bpf.h: BPF_DEVCG_DEV_BLOCK, BPF_DEVCG_DEV_CHAR and BPF_DEVCG_ACC_MKNOD, _READ, _WRITE. */
const TYPES = { a: undefined, b: 1, c: 2 } as const;
const ACCESS: Record<string, number> = { m: 1, r: 2, w: 4 };
const ALL_ACCESS = 7;

function parse(rule: DeviceRule): Rule {
  const type = rule.type ?? 'a';
  if (!Object.hasOwn(TYPES, type)) badLimit("a device rule's type", type, 'a, b or c');
  const letters = rule.access ?? 'rwm';
  if (!/^[rwm]{1,3}$/.test(letters)) badLimit("a device rule's access", letters, 'made of r, w and m');
  return {
    allow: rule.allow === true,
    type: TYPES[type],
    major: number(rule.major, 4095, 'major'),
    minor: number(rule.minor, 1_048_575, 'minor'),
    access: [...letters].reduce((bits, letter) => bits | (ACCESS[letter] ?? 0), 0),
  };
}

function number(value: number | undefined, most: number, which: string): number | undefined {
  if (value === undefined || value === null || value === -1) return undefined;
  within(value, 0, most, `a device rule's ${which} number`);
  return value;
}

/**
 * Leaves out what can never decide: everything before the last rule that covers all, everything that a later rule covers, and what says
 * the same as the default. (The kernel's verifier besides refuses a program with instructions that cannot be reached.)
 */
function simplify(rules: Rule[]): { otherwise: boolean; exceptions: Rule[] } {
  const last = rules.findLastIndex((rule) => covers(rule, EVERYTHING));
  const otherwise = rules[last]?.allow ?? false;
  const after = rules.slice(last + 1);
  const exceptions = after.filter((rule, i) => !after.slice(i + 1).some((later) => covers(later, rule)));
  while (exceptions[0]?.allow === otherwise) exceptions.shift();
  return { otherwise, exceptions };
}

const EVERYTHING: Rule = {
  allow: true,
  type: undefined,
  major: undefined,
  minor: undefined,
  access: ALL_ACCESS,
};

function covers(wide: Rule, narrow: Rule): boolean {
  return (
    (wide.type === undefined || wide.type === narrow.type) &&
    (wide.major === undefined || wide.major === narrow.major) &&
    (wide.minor === undefined || wide.minor === narrow.minor) &&
    (wide.access & narrow.access) === narrow.access
  );
}
