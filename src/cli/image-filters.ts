import { didYouMean, findStoredImage, type ImageFilters } from '../index.ts';
import { parseMoment } from './moment.ts';
import { usageError } from './usage.ts';

/**
 * What `--filter KEY=VALUE` says, each as it was given.
 *
 * @param known the keys that the command has
 */
export async function readImageFilters(
  command: string,
  given: readonly string[],
  known: readonly string[],
): Promise<ImageFilters> {
  const filters: ImageFilters = {};
  for (const filter of given) {
    const equals = filter.indexOf('=');
    const negated = filter[equals - 1] === '!' && known.includes('label!');
    const key = filter.slice(0, Math.max(0, equals)).trim().toLowerCase();
    const value = filter.slice(equals + 1).trim();
    if (equals < 1 || !known.includes(key)) {
      const problem =
        equals < 1 ? 'not of the form KEY=VALUE' : `there is no filter ${key}${didYouMean(key, known)}`;
      throw usageError(
        command,
        `--filter ${filter}: ${problem}; known are ${known.filter((each) => !each.endsWith('!')).join(', ')}`,
      );
    }
    if (key === 'dangling') filters.dangling = readBoolean(command, filter, value);
    else if (key === 'until') filters.until = parseMoment(command, `--filter ${filter}`, value);
    else if (key === 'before' || key === 'since') filters[key] = await findStoredImage(value);
    else if (key === 'reference') filters.reference = [...(filters.reference ?? []), value];
    else if (negated) filters['label!'] = [...(filters['label!'] ?? []), value];
    else filters.label = [...(filters.label ?? []), value];
  }
  return filters;
}

function readBoolean(command: string, filter: string, value: string): boolean {
  if (['true', '1', 't'].includes(value.toLowerCase())) return true;
  if (['false', '0', 'f'].includes(value.toLowerCase())) return false;
  throw usageError(command, `--filter ${filter}: true or false is expected`);
}
