import { didYouMean, type VolumeFilters } from '../index.ts';
import { usageError } from './usage.ts';

/** What `--filter KEY=VALUE` says of volumes, each as it was given. */
export function readVolumeFilters(
  command: string,
  given: readonly string[],
  known: readonly string[],
): VolumeFilters {
  const filters: VolumeFilters = {};
  for (const filter of given) {
    const [, key = '', value = ''] = /^([^=]*[^=!]!?)=(.*)$/s.exec(filter) ?? [];
    if (!known.includes(key)) {
      const problem =
        key === '' ? 'not of the form KEY=VALUE' : `there is no filter ${key}${didYouMean(key, known)}`;
      throw usageError(command, `--filter ${filter}: ${problem}; known are ${known.join(', ')}`);
    }
    if (key === 'dangling') filters.dangling = truth(command, filter, value);
    else filters[key as 'driver'] = [...(filters[key as 'driver'] ?? []), value];
  }
  return filters;
}

function truth(command: string, filter: string, value: string): boolean {
  if (/^(true|1)$/i.test(value)) return true;
  if (/^(false|0)$/i.test(value)) return false;
  throw usageError(command, `--filter ${filter}: true or false is expected`);
}
