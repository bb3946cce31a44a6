import { spawnSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { tarEntryHeader } from '../../../../src/engine/copy/tar-entry.ts';
import { type TarEntry, TarReader } from '../../../../src/image/tar/index.ts';

const plain: TarEntry = {
  ...{ name: 'file', type: 'file', linkName: '', mode: 0o4755, uid: 7, gid: 8, size: 0 },
  ...{ mtime: 1_700_000_000_000_000_000n, major: 0, minor: 0, xattrs: undefined },
};

async function roundTrip(entry: TarEntry): Promise<TarEntry | undefined> {
  const reader = new TarReader(
    (async function* () {
      yield tarEntryHeader(entry);
      yield Buffer.alloc(1024);
    })(),
  );
  return reader.next();
}

test.each<[string, Partial<TarEntry>]>([
  ['plain', {}],
  ['a long name', { name: `${'d'.repeat(90)}/${'f'.repeat(90)}` }],
  ['a name that is not UTF-8', { name: 'a\xff\xfeb' }],
  ['a link to a long name', { type: 'symlink', linkName: 'x'.repeat(300) }],
  ['a hard link', { type: 'link', linkName: 'first' }],
  ['large ids', { uid: 4_000_000_000, gid: 3_000_000 }],
  ['a time with a fraction', { mtime: 1_700_000_000_123_456_789n }],
  ['a time before 1970', { mtime: -1_500_000_000n }],
  ['a device', { type: 'character', major: 10, minor: 229 }],
  ['a FIFO', { type: 'fifo' }],
  ['a directory', { name: 'd/', type: 'directory' }],
  ['attributes', { xattrs: new Map([['security.capability', Buffer.from([1, 0, 0, 2, 255])]]) }],
])('%s is read back as it was', async (_, change) => {
  const entry = { ...plain, ...change };
  expect(await roundTrip(entry)).toEqual(entry);
});

test('GNU tar reads it', () => {
  const name = `${'d'.repeat(120)}/ü`;
  const bytes = Buffer.concat([
    tarEntryHeader({ ...plain, name: Buffer.from(name).toString('latin1'), uid: 3_000_000 }),
    Buffer.alloc(1024),
  ]);
  const { stdout, stderr } = spawnSync('tar', ['tv', '--numeric-owner', '--quoting-style=literal'], {
    input: bytes,
    env: { ...process.env, TZ: 'UTC', LC_ALL: 'C' },
    encoding: 'utf8',
  });
  expect(stderr).toBe('');
  expect(stdout).toBe(`-rwsr-xr-x 3000000/8         0 2023-11-14 22:13 ${name}\n`);
});
