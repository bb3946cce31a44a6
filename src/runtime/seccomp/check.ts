import { TsboxError } from '../../kernel/error.ts';
import type { Seccomp, SeccompRule } from '../spec.ts';
import { ACTION_NAMES, FLAGS, takesErrno } from './actions.ts';
import { OCI_ARCHITECTURES } from './architectures.ts';

/** The comparisons of an argument, with OCI's names. */
export const OPERATORS = [
  'SCMP_CMP_NE',
  'SCMP_CMP_LT',
  'SCMP_CMP_LE',
  'SCMP_CMP_EQ',
  'SCMP_CMP_GE',
  'SCMP_CMP_GT',
  'SCMP_CMP_MASKED_EQ',
] as const;

/**
 * Checks the shape of an OCI seccomp object, every part of which may come from a stranger's file.
 *
 * @param where what the object is called, in front of the path of the wrong part: `linux.seccomp`, or a file's name
 * @param listener whether there may be somebody who answers for SCMP_ACT_NOTIFY
 * @throws TsboxError BAD_SECCOMP naming the part and what it may be
 */
export function checkSeccomp(
  value: unknown,
  where = 'linux.seccomp',
  listener = false,
): asserts value is Seccomp {
  const seccomp = object(value, where);
  checkAction(
    seccomp.defaultAction,
    seccomp.defaultErrnoRet,
    `${where}.defaultAction`,
    `${where}.defaultErrnoRet`,
  );
  for (const [name, at] of strings(seccomp.architectures, `${where}.architectures`))
    if (!Object.hasOwn(OCI_ARCHITECTURES, name)) refuse(at, `unknown architecture ${quote(name)}`);
  for (const [name, at] of strings(seccomp.flags, `${where}.flags`))
    if (!Object.hasOwn(FLAGS, name))
      refuse(at, `unknown flag ${quote(name)}, expected ${Object.keys(FLAGS).join(' or ')}`);
  for (const [rule, at] of list(seccomp.syscalls, `${where}.syscalls`)) checkRule(rule, at, listener);
}

/**
 * Checks one element of `syscalls`.
 *
 * @throws TsboxError BAD_SECCOMP
 */
export function checkRule(value: unknown, at: string, listener = false): asserts value is SeccompRule {
  const rule = object(value, at);
  const names = strings(rule.names, `${at}.names`);
  if (names.length === 0) refuse(`${at}.names`, 'at least one system call is needed');
  for (const [name, where] of names) if (name === '') refuse(where, 'the name of a system call is empty');
  checkAction(rule.action, rule.errnoRet, `${at}.action`, `${at}.errnoRet`, listener);
  for (const [argument, where] of list(rule.args, `${at}.args`)) {
    const { index, value: first, valueTwo, op } = object(argument, where);
    if (!whole(index, 5n)) refuse(`${where}.index`, `${quote(index)} is not an argument, expected 0 to 5`);
    if (!whole(first, U64_MAX)) refuse(`${where}.value`, `${quote(first)} is not a number from 0 to 2^64-1`);
    if (!absent(valueTwo) && !whole(valueTwo, U64_MAX))
      refuse(`${where}.valueTwo`, `${quote(valueTwo)} is not a number from 0 to 2^64-1`);
    if (!(OPERATORS as readonly unknown[]).includes(op))
      refuse(`${where}.op`, `unknown operator ${quote(op)}, expected one of ${OPERATORS.join(', ')}`);
  }
}

function checkAction(action: unknown, errno: unknown, at: string, errnoAt: string, listener = false): void {
  if (action === 'SCMP_ACT_NOTIFY' && !listener)
    refuse(
      at,
      'SCMP_ACT_NOTIFY is not supported',
      'there is no agent that would answer it; use SCMP_ACT_ERRNO',
    );
  if (typeof action !== 'string' || !ACTION_NAMES.includes(action))
    refuse(at, `unknown action ${quote(action)}, expected one of ${ACTION_NAMES.join(', ')}`);
  if (absent(errno)) return;
  // Runtime specification: an errno on an action that takes none must be refused.
  if (!takesErrno(action)) refuse(errnoAt, `${action} takes no errno`);
  // The kernel cuts an errno to MAX_ERRNO; what a tracer gets is 16 bits.
  const most = action === 'SCMP_ACT_ERRNO' ? 4095n : 65535n;
  if (!whole(errno, most)) refuse(errnoAt, `${quote(errno)} is not a number from 0 to ${most}`);
}

/** @throws TsboxError BAD_SECCOMP with the path in front */
export function refuse(at: string, what: string, advice?: string): never {
  throw new TsboxError('BAD_SECCOMP', `${at}: ${what}`, advice === undefined ? {} : { advice });
}

/** @throws TsboxError BAD_SECCOMP where the value is no JSON object */
export function object(value: unknown, at: string): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    refuse(at, `expected an object, found ${quote(value)}`);
  return value as Record<string, unknown>;
}

/** The elements of a list, each with its path; none where it is absent or null, which Go writes for an empty list. */
export function list(value: unknown, at: string): [unknown, string][] {
  if (absent(value)) return [];
  if (!Array.isArray(value)) refuse(at, `expected a list, found ${quote(value)}`);
  return value.map((element, index) => [element, `${at}[${index}]`]);
}

/** As `list`, of strings only. */
export function strings(value: unknown, at: string): [string, string][] {
  return list(value, at).map(([element, where]) => {
    if (typeof element !== 'string') refuse(where, `expected a string, found ${quote(element)}`);
    return [element, where];
  });
}

export function absent(value: unknown): value is undefined | null {
  return value === undefined || value === null;
}

/** A value of a stranger's in a message: on one line, and short. */
export function quote(value: unknown): string {
  const text = typeof value === 'bigint' ? String(value) : (JSON.stringify(value) ?? String(value));
  return text.length > 60 ? `${text.slice(0, 60)}…` : text;
}

const U64_MAX = 2n ** 64n - 1n;

function whole(value: unknown, most: bigint): boolean {
  if (typeof value === 'number') return Number.isSafeInteger(value) && value >= 0 && BigInt(value) <= most;
  return typeof value === 'bigint' && value >= 0n && value <= most;
}
