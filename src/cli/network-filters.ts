import { didYouMean, type NetworkFilters } from '../index.ts';
import { parseMoment } from './moment.ts';
import { usageError } from './usage.ts';

/** What `--filter KEY=VALUE` says of networks. */
export function readNetworkFilters(
  command: string,
  given: readonly string[],
  known: readonly (keyof NetworkFilters & string)[],
): NetworkFilters {
  const filters: NetworkFilters = {};
  for (const filter of given) {
    const [, word = '', value = ''] = /^([^=]*[^=!]!?)=(.*)$/s.exec(filter) ?? [];
    const key = known.find((each) => each === word);
    if (key === undefined) {
      const problem =
        word === '' ? 'not of the form KEY=VALUE' : `there is no filter ${word}${didYouMean(word, known)}`;
      throw usageError(command, `--filter ${filter}: ${problem}; known are ${known.join(', ')}`);
    }
    if (key === 'dangling') filters.dangling = truth(command, filter, value);
    else if (key === 'until') filters.until = parseMoment(command, `--filter ${filter}`, value).getTime();
    else if (key === 'type' && value !== 'custom' && value !== 'builtin')
      throw usageError(
        command,
        `--filter ${filter}: the types are custom and builtin${didYouMean(value, ['custom', 'builtin'])}`,
      );
    else filters[key] = [...(filters[key] ?? []), value];
  }
  return filters;
}

function truth(command: string, filter: string, value: string): boolean {
  if (/^(true|1)$/i.test(value)) return true;
  if (/^(false|0)$/i.test(value)) return false;
  throw usageError(command, `--filter ${filter}: true or false is expected`);
}
