import { badOption, printable } from './bad-option.ts';

/**
 * The CPUs or memory nodes of a list such as `0-2,4`, in order and once each.
 *
 * Source: cpuset(7), "List format".
 * @param available those that are there, in the same notation
 * @throws BAD_OPTION for what is no list, and for one that asks for more than there is
 */
export function parseCpuset(flag: string, value: string, available: string): number[] {
  const wanted = readList(value);
  if (wanted === undefined) throw badOption(flag, value, 'not a list of numbers and ranges', '0-2,4');
  const there = new Set(readList(available.trim()));
  const missing = wanted.filter((number) => !there.has(number));
  if (missing.length > 0) {
    throw badOption(
      flag,
      value,
      `${missing.join(', ')} not available (available: ${printable(available.trim())})`,
    );
  }
  return wanted;
}

/** Undefined for what is no list. No machine has more than 8192 CPUs (CONFIG_NR_CPUS), which bounds `0-999999999`. */
export function readList(text: string): number[] | undefined {
  const numbers = new Set<number>();
  for (const part of text.split(',')) {
    const match = /^(\d{1,4})(?:-(\d{1,4}))?$/.exec(part);
    if (match === null) return undefined;
    const first = Number(match[1]);
    const last = Number(match[2] ?? match[1]);
    if (last < first) return undefined;
    for (let number = first; number <= last; number++) numbers.add(number);
  }
  return [...numbers].sort((a, b) => a - b);
}
