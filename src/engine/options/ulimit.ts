import { RLIMIT } from '../../kernel/index.ts';
import { didYouMean } from '../../suggest.ts';
import { badOption } from './bad-option.ts';

export interface Rlimit {
  type: string;
  soft: number;
  hard: number;
}

/** RLIM_INFINITY is 2^64 - 1, which no double holds: in the specification's numbers it is -1 here, as Docker writes it. */
export const unlimited = -1;

/**
 * `NAME=SOFT[:HARD]` as a resource limit: `nofile=1024:4096`, `core=-1`, `memlock=unlimited`. Without HARD it is the same as SOFT.
 *
 * @throws BAD_OPTION for a name that is no limit, and for a soft limit above the hard one
 */
export function parseUlimit(flag: string, value: string): Rlimit {
  const example = 'nofile=1024:4096';
  const match = /^([^=]*)=([^:]*)(?::([^:]*))?$/.exec(value);
  if (match === null) throw badOption(flag, value, 'not of the form NAME=SOFT[:HARD]', example);
  const name = (match[1] as string).toLowerCase();
  const type = `RLIMIT_${name.toUpperCase()}`;
  if (!Object.hasOwn(RLIMIT, type)) {
    const known = Object.keys(RLIMIT).map((each) => each.slice('RLIMIT_'.length).toLowerCase());
    throw badOption(flag, value, `no such limit${didYouMean(name, known)}`, example);
  }
  const soft = limit(match[2] as string);
  const hard = match[3] === undefined ? soft : limit(match[3]);
  if (soft === undefined || hard === undefined) {
    throw badOption(flag, value, 'a limit is a whole number, or -1 or unlimited', example);
  }
  if (hard !== unlimited && (soft === unlimited || soft > hard)) {
    throw badOption(flag, value, 'the soft limit is above the hard one', example);
  }
  return { type, soft, hard };
}

function limit(text: string): number | undefined {
  if (text === '-1' || text === 'unlimited' || text === 'infinity') return unlimited;
  const number = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  return Number.isSafeInteger(number) ? number : undefined;
}
