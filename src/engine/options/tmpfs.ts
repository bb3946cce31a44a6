import type { Mount } from '../../runtime/spec.ts';
import { didYouMean } from '../../suggest.ts';
import { badOption, refuseNul } from './bad-option.ts';
import { checkDestination } from './destination.ts';

/**
 * `PATH[:OPTIONS]` as a tmpfs. By default noexec, nosuid and nodev, as large as the kernel lets it be (half of the memory) and within the
 * container's memory limit; a later word takes the place of an earlier one of its kind, so that `exec` undoes noexec.
 *
 * Source: moby, MergeTmpfsOptions; tmpfs(5).
 * @throws BAD_OPTION
 */
export function parseTmpfs(flag: string, value: string): Mount {
  refuseNul(flag, value);
  const colon = value.indexOf(':');
  const path = colon < 0 ? value : value.slice(0, colon);
  const words = colon < 0 ? '' : value.slice(colon + 1);
  const destination = checkDestination(flag, value, path, example);
  const options = tmpfsOptions(flag, value, words === '' ? [] : words.split(','));
  return { destination, type: 'tmpfs', source: 'tmpfs', options };
}

/** The words given, on top of the default ones and one of a kind. */
export function tmpfsOptions(flag: string, value: string, words: readonly string[]): string[] {
  const chosen = new Map<string, string>();
  for (const word of ['noexec', 'nosuid', 'nodev', 'rprivate', ...words]) {
    const equals = word.indexOf('=');
    const name = equals < 0 ? word : word.slice(0, equals);
    const pattern = values[name];
    if (equals < 0 ? kinds[name] === undefined : pattern === undefined) {
      const known = [...Object.keys(kinds), ...Object.keys(values)];
      throw badOption(
        flag,
        value,
        `no such option: ${JSON.stringify(word)}${didYouMean(name, known)}`,
        example,
      );
    }
    if (pattern !== undefined && !pattern.test(word.slice(equals + 1))) {
      throw badOption(flag, value, `${JSON.stringify(word)}: not a value for ${name}`, example);
    }
    const kind = equals < 0 ? (kinds[name] as string) : name;
    chosen.delete(kind);
    chosen.set(kind, word);
  }
  return [...chosen.values()];
}

const example = '/tmp:size=64m,mode=1777';

/** Words without a value, by what they decide. */
const kinds: Record<string, string> = {
  __proto__: null as never,
  ro: 'access',
  rw: 'access',
  exec: 'exec',
  noexec: 'exec',
  suid: 'suid',
  nosuid: 'suid',
  dev: 'dev',
  nodev: 'dev',
  atime: 'atime',
  noatime: 'atime',
  relatime: 'atime',
  norelatime: 'atime',
  strictatime: 'atime',
  nostrictatime: 'atime',
  diratime: 'diratime',
  nodiratime: 'diratime',
  private: 'propagation',
  rprivate: 'propagation',
  shared: 'propagation',
  rshared: 'propagation',
  slave: 'propagation',
  rslave: 'propagation',
};

/** Words with a value: tmpfs's own. */
const values: Record<string, RegExp> = {
  __proto__: null as never,
  size: /^\d+([kmgKMG]|%)?$/,
  nr_blocks: /^\d+[kmgKMG]?$/,
  nr_inodes: /^\d+[kmgKMG]?$/,
  mode: /^[0-7]{1,5}$/,
  uid: /^\d{1,10}$/,
  gid: /^\d{1,10}$/,
  mpol: /^[a-z0-9:=-]+$/,
};
