import { type Assembler, BPF, type Label } from './assembler.ts';
import type { Condition, Rule } from './rules.ts';
import { type Range, search } from './search.ts';

/** From this value of an argument on. */
interface Bound {
  start: bigint;
  holds: boolean;
}

const MAX32 = 0xffffffffn;
const MAX64 = 2n ** 64n - 1n;

/**
 * Code that tries the rules of one system call in their order, and goes to `otherwise` where none holds.
 *
 * @param bits of an argument: 32-bit programs' are compared by their lower half, and so are the values, as libseccomp does
 */
export function conditional(code: Assembler, rules: Rule[], otherwise: Label, bits: 32 | 64): Label {
  let next = otherwise;
  for (let end = rules.length; end > 0; ) {
    const last = rules[end - 1] as Rule;
    const yes = code.ret(last.value);
    const begin = startOfGroup(rules, end);
    const group = rules.slice(begin, end).map(({ conditions }) => conditions[0] as Condition);
    const no = next;
    next =
      group.length > 1
        ? oneOf(code, group, yes, no, bits)
        : last.conditions.reduceRight((then, condition) => test(code, condition, then, no, bits), yes);
    end = begin;
  }
  return next;
}

/** Neighbours that compare only one and the same argument, and return the same, are one question: is it in this set of numbers? */
function startOfGroup(rules: Rule[], end: number): number {
  const { conditions, value } = rules[end - 1] as Rule;
  const [only] = conditions as [Condition];
  if (conditions.length > 1 || only.mask !== undefined) return end - 1;
  const same = (rule: Rule | undefined) =>
    rule?.value === value &&
    rule.conditions.length === 1 &&
    rule.conditions[0]?.index === only.index &&
    rule.conditions[0].mask === undefined;
  let begin = end - 1;
  while (same(rules[begin - 1])) begin--;
  return begin;
}

function test(code: Assembler, condition: Condition, yes: Label, no: Label, bits: 32 | 64): Label {
  if (condition.mask === undefined) return oneOf(code, [condition], yes, no, bits);
  const { index, mask, value } = condition;
  const low = maskedHalf(code, lowAt(index), mask & MAX32, value & MAX32, yes, no);
  return bits === 32 ? low : maskedHalf(code, lowAt(index) + 4, mask >> 32n, value >> 32n, low, no);
}

function maskedHalf(code: Assembler, at: number, mask: bigint, value: bigint, yes: Label, no: Label): Label {
  if ((value & ~mask) !== 0n) return no;
  if (mask === 0n) return yes;
  const compare = code.jump(BPF.JEQ_K, Number(value), yes, no);
  return code.load(at, mask === MAX32 ? compare : code.and(Number(mask), compare));
}

/** Whether any of the comparisons of one argument holds. */
function oneOf(code: Assembler, conditions: Condition[], yes: Label, no: Label, bits: 32 | 64): Label {
  const bounds = union(conditions, bits);
  const at = lowAt((conditions[0] as Condition).index);
  const label = (holds: boolean) => (holds ? yes : no);
  if (bits === 32) return lower(code, at, ranges(bounds, label));

  // The upper half first. Where it is one that a bound lies in, the lower half decides.
  const upper = new Map<bigint, Label>();
  for (const high of new Set(bounds.map(({ start }) => start >> 32n))) {
    const here = bounds.filter(({ start }) => start >> 32n === high);
    const before = bounds.findLast(({ start }) => start < high << 32n)?.holds ?? false;
    const halves = here.map(({ start, holds }) => ({ start: start & MAX32, holds }));
    if (halves[0]?.start !== 0n) halves.unshift({ start: 0n, holds: before });
    upper.set(high, lower(code, at, ranges(halves, label)));
    if (high < MAX32) upper.set(high + 1n, label(here.at(-1)?.holds ?? false));
  }
  return lower(
    code,
    at + 4,
    [...upper].map(([start, target]) => ({ start: Number(start), label: target })),
  );
}

function lower(code: Assembler, at: number, parts: Range[]): Label {
  const start = search(code, parts);
  return parts.every(({ label }) => label === parts[0]?.label) ? start : code.load(at, start);
}

function ranges(bounds: Bound[], label: (holds: boolean) => Label): Range[] {
  return bounds.map(({ start, holds }) => ({ start: Number(start), label: label(holds) }));
}

/** Where, going up from 0, the comparisons begin and cease to hold. */
function union(conditions: Condition[], bits: 32 | 64): Bound[] {
  const max = bits === 32 ? MAX32 : MAX64;
  const intervals = conditions
    .flatMap(({ op, value }) => intervalsOf(op, value & max, max))
    .filter(([from, to]) => from <= to)
    .sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
  const bounds: Bound[] = [{ start: 0n, holds: false }];
  let end = -1n;
  for (const [from, to] of intervals) {
    if (from > end + 1n || end < 0n)
      bounds.push({ start: end + 1n, holds: false }, { start: from, holds: true });
    if (to > end) end = to;
  }
  if (end < max) bounds.push({ start: end + 1n, holds: false });
  // Of bounds at the same place, the last one counts.
  return bounds.filter(({ start }, index) => bounds[index + 1]?.start !== start);
}

function intervalsOf(op: string, value: bigint, max: bigint): [bigint, bigint][] {
  switch (op) {
    case 'SCMP_CMP_NE':
      return [
        [0n, value - 1n],
        [value + 1n, max],
      ];
    case 'SCMP_CMP_LT':
      return [[0n, value - 1n]];
    case 'SCMP_CMP_LE':
      return [[0n, value]];
    case 'SCMP_CMP_GE':
      return [[value, max]];
    case 'SCMP_CMP_GT':
      return [[value + 1n, max]];
    default:
      return [[value, value]];
  }
}

/** Of the arguments in `struct seccomp_data`, the lower half comes first on both our machines. */
function lowAt(index: number): number {
  return 16 + 8 * index;
}
