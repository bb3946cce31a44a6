import { type MOUNT_ATTR, MS, TsboxError } from '../kernel/index.ts';
import type { Printed } from '../launch/index.ts';

type Attribute = keyof typeof MOUNT_ATTR;

/** A mount's option words, sorted into what the kernel takes at different places. */
export interface MountOptions {
  set: Set<Attribute>;
  clear: Set<Attribute>;
  /** Whether `set` and `clear` hold for the mounts below as well (`rro`, `rnosuid`, …). */
  recursiveAttributes: boolean;
  bind: boolean;
  recursive: boolean;
  propagation: Printed | undefined;
  /** Owners are translated as the mount's mappings, or else the container's user namespace, say; with `ridmap`, in the mounts below too. */
  idMap?: 'idmap' | 'ridmap';
  /** The file system's own: `size=64m`, `mode=755`. A value of undefined is a flag. */
  data: [key: string, value: string | undefined][];
}

/** Reads the `options` of an OCI mount (config.md, "Linux mount options"). @throws {TsboxError} BAD_MOUNT */
export function parseMountOptions(destination: string, words: readonly string[] = []): MountOptions {
  const options: MountOptions = {
    set: new Set(),
    clear: new Set(),
    recursiveAttributes: false,
    bind: false,
    recursive: false,
    propagation: undefined,
    data: [],
  };
  for (const word of words) readWord(destination, word, options);
  return options;
}

function readWord(destination: string, word: string, options: MountOptions): void {
  if (word === 'bind' || word === 'rbind') {
    options.bind = true;
    options.recursive = word === 'rbind';
    return;
  }
  if (word === 'idmap' || word === 'ridmap') {
    options.idMap = word;
    return;
  }
  const propagation = PROPAGATION[word];
  if (propagation !== undefined) {
    options.propagation = { value: MS[propagation], text: propagation };
    return;
  }
  const bare =
    word.startsWith('r') && ATTRIBUTES[word.slice(1)] !== undefined && word !== 'ro' ? word.slice(1) : word;
  const attribute = ATTRIBUTES[bare];
  if (attribute !== undefined) {
    if (bare !== word) options.recursiveAttributes = true;
    const [change, name] = attribute;
    // How access times are kept is one choice of three (mount_setattr(2)), so a later word replaces an earlier one.
    const replaced = ACCESS_TIMES.includes(name) ? ACCESS_TIMES : [name];
    for (const other of replaced) {
      options.set.delete(other);
      options.clear.delete(other);
    }
    options[change].add(name);
    return;
  }
  if (IGNORED.has(word)) return;
  if (word === '' || word.includes('\0')) {
    throw new TsboxError('BAD_MOUNT', `the mount at \`${destination}\` has an empty or broken option`);
  }
  const equals = word.indexOf('=');
  options.data.push(equals < 0 ? [word, undefined] : [word.slice(0, equals), word.slice(equals + 1)]);
}

/** With neither, `relatime` holds: the kernel's default, and 0 as an attribute. */
export const ACCESS_TIMES: readonly Attribute[] = ['MOUNT_ATTR_NOATIME', 'MOUNT_ATTR_STRICTATIME'];

// The words come from an image's or somebody else's configuration: `constructor` is not one of them.
const ATTRIBUTES: Record<string, ['set' | 'clear', Attribute]> = {
  __proto__: null as never,
  ro: ['set', 'MOUNT_ATTR_RDONLY'],
  rw: ['clear', 'MOUNT_ATTR_RDONLY'],
  nosuid: ['set', 'MOUNT_ATTR_NOSUID'],
  suid: ['clear', 'MOUNT_ATTR_NOSUID'],
  nodev: ['set', 'MOUNT_ATTR_NODEV'],
  dev: ['clear', 'MOUNT_ATTR_NODEV'],
  noexec: ['set', 'MOUNT_ATTR_NOEXEC'],
  exec: ['clear', 'MOUNT_ATTR_NOEXEC'],
  noatime: ['set', 'MOUNT_ATTR_NOATIME'],
  atime: ['clear', 'MOUNT_ATTR_NOATIME'],
  strictatime: ['set', 'MOUNT_ATTR_STRICTATIME'],
  relatime: ['clear', 'MOUNT_ATTR_NOATIME'],
  nostrictatime: ['clear', 'MOUNT_ATTR_STRICTATIME'],
  nodiratime: ['set', 'MOUNT_ATTR_NODIRATIME'],
  diratime: ['clear', 'MOUNT_ATTR_NODIRATIME'],
  nosymfollow: ['set', 'MOUNT_ATTR_NOSYMFOLLOW'],
  symfollow: ['clear', 'MOUNT_ATTR_NOSYMFOLLOW'],
};

export const PROPAGATION: Record<string, keyof typeof MS> = {
  __proto__: null as never,
  private: 'MS_PRIVATE',
  rprivate: 'MS_PRIVATE',
  slave: 'MS_SLAVE',
  rslave: 'MS_SLAVE',
  shared: 'MS_SHARED',
  rshared: 'MS_SHARED',
  unbindable: 'MS_UNBINDABLE',
  runbindable: 'MS_UNBINDABLE',
};

/** mount(8)'s words that say nothing here. */
const IGNORED = new Set([
  'defaults',
  'norelatime',
  'async',
  'sync',
  'auto',
  'noauto',
  'nouser',
  'user',
  'z',
  'Z',
]);

/** All words that are not a file system's own, for who wants to know. */
export function mountWords(): string[] {
  const attributes = Object.keys(ATTRIBUTES).flatMap((word) => [word, `r${word}`]);
  const words = ['bind', 'rbind', 'idmap', 'ridmap', ...IGNORED, ...Object.keys(PROPAGATION), ...attributes];
  return [...new Set(words)].sort();
}
