import { TsboxError } from '../../kernel/index.ts';
import { tryReference } from '../reference.ts';
import type { StoredImage } from '../stored-image.ts';
import { listImages } from './find.ts';

/** What `--filter` of `images` and `image prune` understands, each with the values that were given for it. */
export interface ImageFilters {
  /** Whether it has no name. */
  dangling?: boolean;
  /** `KEY` or `KEY=VALUE`; all must be so. */
  label?: readonly string[];
  /** None may be so. */
  'label!'?: readonly string[];
  /** Patterns of names: any of them. */
  reference?: readonly string[];
  /** Made before that moment. */
  until?: Date;
  /** Made before that image, by name or id. */
  before?: StoredImage;
  since?: StoredImage;
}

/** The images that are so, the newest first. @param onDamaged told of those that cannot be read */
export function filterImages(
  filters: ImageFilters,
  onDamaged?: Parameters<typeof listImages>[0],
): StoredImage[] {
  return listImages(onDamaged)
    .filter((image) => matches(image, filters))
    .sort((a, b) => Date.parse(b.created) - Date.parse(a.created));
}

export function matches(image: StoredImage, filters: ImageFilters): boolean {
  const { dangling, label = [], reference, until, before, since } = filters;
  const created = Date.parse(image.created);
  if (dangling !== undefined && dangling !== (image.name === '')) return false;
  if (until !== undefined && created >= until.getTime()) return false;
  if (before !== undefined && created >= Date.parse(before.created)) return false;
  if (since !== undefined && created <= Date.parse(since.created)) return false;
  if (reference !== undefined && !reference.some((pattern) => matchesReference(image.name, pattern)))
    return false;
  return (
    label.every((each) => hasLabel(image, each)) && !filters['label!']?.some((each) => hasLabel(image, each))
  );
}

function hasLabel({ config }: StoredImage, label: string): boolean {
  const equals = label.indexOf('=');
  const key = equals < 0 ? label : label.slice(0, equals);
  const labels = config.Labels ?? {};
  return Object.hasOwn(labels, key) && (equals < 0 || labels[key] === label.slice(equals + 1));
}

/**
 * Whether a name is meant by a pattern of Go's path.Match, with or without its tag: `alpine`, `alpine:3.*`, `web-?`.
 *
 * @throws {TsboxError} BAD_OPTION
 */
export function matchesReference(name: string, pattern: string): boolean {
  if (name === '') return false;
  const glob = readGlob(pattern);
  const reference = tryReference(name);
  const plain = tryReference(pattern);
  // `docker.io/library/alpine` is `alpine`, also as a pattern.
  if (plain !== undefined && plain.name === name) return true;
  return matchesGlob(name, glob) || (reference !== undefined && matchesGlob(reference.repository, glob));
}

/** Whether one character is right; a star is any number of them. */
type Glob = (((character: string) => boolean) | '*')[];

function readGlob(pattern: string): Glob {
  if (pattern.length > 1000) throw badPattern(pattern.slice(0, 40));
  const glob: Glob = [];
  for (let at = 0; at < pattern.length; at++) {
    const character = pattern[at] as string;
    if (character === '*') glob.push('*');
    else if (character === '?') glob.push((each) => each !== '/');
    else if (character === '[') {
      const set = /^\[\^?(?:\\.|[^\\\]])+\]/.exec(pattern.slice(at))?.[0];
      if (set === undefined) throw badPattern(pattern);
      glob.push(readSet(set, pattern));
      at += set.length - 1;
    } else {
      const literal = character === '\\' ? pattern[++at] : character;
      if (literal === undefined) throw badPattern(pattern);
      glob.push((each) => each === literal);
    }
  }
  return glob;
}

function readSet(set: string, pattern: string): (character: string) => boolean {
  try {
    // One character against one set: such an expression cannot be slow.
    const expression = new RegExp(`^${set.replace(/(?<=.)[[&](?=.)/g, '\\$&')}$`);
    return (each) => each !== '/' && expression.test(each);
  } catch {
    throw badPattern(pattern);
  }
}

/** Only the last star is ever tried again, so this takes no longer than the two lengths multiplied; regular expressions may take for ever. */
function matchesGlob(name: string, glob: Glob): boolean {
  let [at, next] = [0, 0];
  let star: { at: number; next: number } | undefined;
  while (at < name.length) {
    const test = glob[next];
    if (test === '*') {
      star = { at, next: ++next };
    } else if (test?.(name[at] as string)) {
      at++;
      next++;
    } else if (star !== undefined && name[star.at] !== '/') {
      at = ++star.at;
      next = star.next;
    } else {
      return false;
    }
  }
  return glob.slice(next).every((test) => test === '*');
}

function badPattern(pattern: string): TsboxError {
  return new TsboxError(
    'BAD_OPTION',
    `--filter reference=${pattern}: not a pattern; right would be: reference=alpine:3.*`,
  );
}
