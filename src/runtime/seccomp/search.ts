import { type Assembler, BPF, type Label } from './assembler.ts';

/** From `start` up to the next range's start, go to `label`. The first range starts at 0. */
export interface Range {
  start: number;
  label: Label;
}

/** Code that finds the range of the 32-bit number that was loaded, by halves. */
export function search(code: Assembler, ranges: Range[]): Label {
  return half(code, merged(ranges));
}

function half(code: Assembler, ranges: Range[]): Label {
  const [first, second, third] = ranges as [Range, Range?, Range?];
  if (second === undefined) return first.label;
  // One number that differs from those on both sides: one comparison is enough.
  if (ranges.length === 3 && first.label === third?.label && third.start === second.start + 1)
    return code.jump(BPF.JEQ_K, second.start, second.label, first.label);
  const middle = splitAt(ranges);
  const upper = half(code, ranges.slice(middle));
  const lower = half(code, ranges.slice(0, middle));
  return code.jump(BPF.JGE_K, (ranges[middle] as Range).start, upper, lower);
}

/** The middle, or next to it where the middle would separate a single number from the equal ranges on both its sides. */
function splitAt(ranges: Range[]): number {
  const middle = ranges.length >> 1;
  const alone = (at: number) =>
    at > 0 &&
    at < ranges.length - 1 &&
    ranges[at - 1]?.label === ranges[at + 1]?.label &&
    width(ranges, at) === 1;
  if (ranges.length > 3 && alone(middle))
    return alone(middle - 1) ? middle : middle + 2 < ranges.length ? middle + 2 : middle - 1;
  return middle;
}

function width(ranges: Range[], at: number): number {
  return (ranges[at + 1]?.start ?? 2 ** 32) - (ranges[at] as Range).start;
}

/** Neighbours that go to the same place are one. */
function merged(ranges: Range[]): Range[] {
  return ranges.filter(({ label }, index) => label !== ranges[index - 1]?.label);
}
