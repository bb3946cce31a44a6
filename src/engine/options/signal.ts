import { constants } from 'node:os';
import { signalNumber } from '../../kernel/index.ts';
import { didYouMean } from '../../suggest.ts';
import { badOption } from './bad-option.ts';

/** The number of `TERM`, `SIGTERM`, `15` or `RTMIN+3`. @throws BAD_OPTION */
export function parseSignal(flag: string, value: string | number): number {
  const number = signalNumber(value);
  if (number === undefined) {
    const known = Object.keys(constants.signals);
    const name = String(value).toUpperCase();
    throw badOption(
      flag,
      value,
      `no such signal${didYouMean(name.startsWith('SIG') ? name : `SIG${name}`, known)}`,
      'SIGTERM',
    );
  }
  return number;
}
