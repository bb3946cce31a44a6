import type { Seccomp } from '../spec.ts';
import {
  filterFlags,
  refusesByDefault,
  returnValue,
  SECCOMP_RET_ERRNO,
  SECCOMP_RET_KILL_THREAD,
} from './actions.ts';
import { AUDIT_ARCH, architecturesOf, type Machine, X32_BIT } from './architectures.ts';
import { Assembler, BPF, type Label } from './assembler.ts';
import { checkSeccomp } from './check.ts';
import { conditional } from './conditions.ts';
import { ARM_PRIVATE, bitsOf, rulesOf } from './rules.ts';
import { type Range, search } from './search.ts';
import type { Architecture } from './syscalls.ts';

/** What seccomp(SECCOMP_SET_MODE_FILTER) takes. */
export interface Filter {
  /** An array of `struct sock_filter`, 8 bytes each, at most 4096 of them. */
  filter: Buffer;
  /** SECCOMP_FILTER_FLAG_… */
  flags: number;
}

const ENOSYS = 38;
const NUMBER_AT = 0;
const ARCHITECTURE_AT = 4;

/**
 * Compiles an OCI `linux.seccomp` to classic BPF. Its verdicts are libseccomp's, and runc's where runc adds to it:
 * an architecture that the profile does not name is killed; names that we do not know are left out; and calls newer than every one
 * in the profile get ENOSYS, so that a C library falls back to an older call, which EPERM would keep it from.
 *
 * @param machine what the filter will run on; default this machine
 * @throws TsboxError BAD_SECCOMP naming the wrong part, SECCOMP_TOO_LONG
 */
export function compileSeccomp(seccomp: Seccomp, machine = process.arch as Machine): Filter {
  checkSeccomp(seccomp, undefined, true);
  const code = new Assembler();
  const killed = code.ret(SECCOMP_RET_KILL_THREAD);
  const architectures = architecturesOf(seccomp.architectures, machine);

  let start = killed;
  // Written backwards, so that the machine's own architecture is asked about first.
  for (const architecture of [...architectures].reverse()) {
    if (architecture === 'x32') continue;
    const ranges = rangesOf(code, seccomp, architecture);
    if (architecture === 'x86_64') ranges.push(...aboveX32Bit(code, seccomp, architectures.includes('x32')));
    const section = code.load(NUMBER_AT, search(code, ranges));
    start = code.jump(BPF.JEQ_K, AUDIT_ARCH[architecture], section, start);
  }
  return { filter: code.bytes(code.load(ARCHITECTURE_AT, start)), flags: filterFlags(seccomp) };
}

/** x32 shares x86-64's AUDIT_ARCH. Unless the profile names it, it is killed; but -1 is how a tracer says "skip this call". */
function aboveX32Bit(code: Assembler, seccomp: Seccomp, named: boolean): Range[] {
  if (named)
    return rangesOf(code, seccomp, 'x32').map(({ start, label }) => ({ start: X32_BIT + start, label }));
  return [
    { start: X32_BIT, label: code.ret(SECCOMP_RET_KILL_THREAD) },
    { start: 0xffffffff, label: code.ret(returnValue(seccomp.defaultAction, seccomp.defaultErrnoRet)) },
  ];
}

/** The verdict of every number on one architecture, as ranges. */
function rangesOf(code: Assembler, seccomp: Seccomp, architecture: Architecture): Range[] {
  const { byNumber, largest } = rulesOf(seccomp, architecture);
  const fallback = code.ret(returnValue(seccomp.defaultAction, seccomp.defaultErrnoRet));
  const newer =
    largest !== undefined && refusesByDefault(seccomp.defaultAction)
      ? code.ret(SECCOMP_RET_ERRNO + ENOSYS)
      : fallback;
  const rest = (number: number): Label =>
    number <= (largest ?? 0) || (architecture === 'arm' && number >= ARM_PRIVATE) ? fallback : newer;

  const ranges: Range[] = [{ start: 0, label: rest(0) }];
  if (largest !== undefined) ranges.push({ start: largest + 1, label: newer });
  if (architecture === 'arm') ranges.push({ start: ARM_PRIVATE, label: fallback });
  for (const [number, rules] of [...byNumber].sort(([a], [b]) => a - b)) {
    const [first] = rules;
    const label =
      first?.conditions.length === 0
        ? code.ret(first.value)
        : conditional(code, rules, rest(number), bitsOf(architecture));
    ranges.push({ start: number, label }, { start: number + 1, label: rest(number + 1) });
  }
  // Where two start at one place, the later one counts: what follows a number gives way to the next number's own rules.
  ranges.sort((a, b) => a.start - b.start);
  return ranges.filter(({ start }, index) => ranges[index + 1]?.start !== start);
}
