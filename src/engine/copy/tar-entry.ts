import { Header } from 'tar/header';
import type { TarEntry } from '../../image/tar/index.ts';

/** The header blocks of an entry: what ustar cannot say (long names, other bytes, large numbers, xattrs) is said before it, in a pax header. */
export function tarEntryHeader(entry: TarEntry): Buffer {
  const records = paxRecords(entry);
  const header = ustar(entry);
  if (records.length === 0) return header;
  const body = Buffer.concat(records);
  const pax = block({ path: 'pax', type: 'ExtendedHeader', size: body.length, mode: 0o644 });
  return Buffer.concat([pax, body, Buffer.alloc((512 - (body.length % 512)) % 512), header]);
}

const TYPES = {
  file: 'File',
  directory: 'Directory',
  symlink: 'SymbolicLink',
  link: 'Link',
  character: 'CharacterDevice',
  block: 'BlockDevice',
  fifo: 'FIFO',
} as const;

function ustar(entry: TarEntry): Buffer {
  const { type, size, mode, uid, gid, major, minor } = entry;
  const plain = (text: string) => (fits(text) ? text : 'long');
  return block({
    path: plain(entry.name),
    linkpath: plain(entry.linkName),
    type: TYPES[type],
    size: type === 'file' ? size : 0,
    mode,
    uid: small(uid) ? uid : 0,
    gid: small(gid) ? gid : 0,
    mtime: new Date(Number(entry.mtime / 1_000_000_000n) * 1000),
    ...((type === 'character' || type === 'block') && { devmaj: major, devmin: minor }),
  });
}

function block(data: ConstructorParameters<typeof Header>[0]): Buffer {
  const bytes = Buffer.alloc(512);
  new Header({ uid: 0, gid: 0, mtime: new Date(0), ...(data as object) }).encode(bytes);
  return bytes;
}

function paxRecords(entry: TarEntry): Buffer[] {
  const records: Buffer[] = [];
  const add = (key: string, value: Buffer | string) => records.push(paxRecord(key, Buffer.from(value)));
  if (!fits(entry.name)) add('path', Buffer.from(entry.name, 'latin1'));
  if (!fits(entry.linkName)) add('linkpath', Buffer.from(entry.linkName, 'latin1'));
  if (!small(entry.uid)) add('uid', String(entry.uid));
  if (!small(entry.gid)) add('gid', String(entry.gid));
  if (entry.mtime % 1_000_000_000n !== 0n) add('mtime', decimalTime(entry.mtime));
  for (const [name, value] of entry.xattrs ?? []) add(`SCHILY.xattr.${name}`, value);
  return records;
}

/** `30 mtime=1350244992.023960108\n`: the length counts itself. POSIX.1-2017, pax, "pax Extended Header". */
function paxRecord(key: string, value: Buffer): Buffer {
  const rest = Buffer.concat([Buffer.from(` ${key}=`, 'latin1'), value, Buffer.from('\n')]);
  let length = rest.length;
  while (String(length).length + rest.length !== length) length = String(length).length + rest.length;
  return Buffer.concat([Buffer.from(String(length)), rest]);
}

function decimalTime(nanoseconds: bigint): string {
  const size = nanoseconds < 0n ? -nanoseconds : nanoseconds;
  const fraction = String(size % 1_000_000_000n).padStart(9, '0');
  return `${nanoseconds < 0n ? '-' : ''}${size / 1_000_000_000n}.${fraction}`;
}

/** Also what every reader takes for the same text. */
function fits(name: string): boolean {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  return name.length <= 100 && /^[\x01-\x7e]*$/.test(name);
}

function small(id: number): boolean {
  return id < 0o10000000;
}
