import { execFileSync } from 'node:child_process';
import {
  closeSync,
  ftruncateSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ARCHIVE_LIMITS } from '../../../../src/image/limits.ts';
import { type TarEntry, TarReader } from '../../../../src/image/tar/index.ts';
import { archive, directory, entry, file, type Made, records, symlink } from '../../../fixtures/tar.ts';

describe('entries', () => {
  it('reads every field of a ustar header', async () => {
    const made: Made = {
      name: 'name',
      prefix: 'a/b',
      content: 'hello',
      mode: 0o4755,
      uid: 12345,
      gid: 54321,
      mtime: 1_000_000_001,
    };
    expect(await read(archive(made))).toEqual([
      {
        name: 'a/b/name',
        type: 'file',
        linkName: '',
        mode: 0o4755,
        uid: 12345,
        gid: 54321,
        mtime: 1_000_000_001_000_000_000n,
        size: 5,
        major: 0,
        minor: 0,
        xattrs: undefined,
        content: 'hello',
      },
    ]);
  });

  it('reads content that comes in pieces of any size', async () => {
    const bytes = archive(file('a', 'x'.repeat(1000)), file('b', 'y'.repeat(512)), file('c'));
    for (const size of [1, 7, 511, 512, 513, 5000]) {
      const entries = await read(bytes, {}, size);
      expect(entries.map(({ name, content }) => [name, content.length])).toEqual([
        ['a', 1000],
        ['b', 512],
        ['c', 0],
      ]);
    }
  });

  it("reads device numbers of GNU's format, which node-tar's Header does not", async () => {
    const [gnu, v7] = await read(
      archive(
        { name: 'sda', type: '4', major: 8, minor: 1, magic: 'ustar  \0' },
        { name: 'null', type: '3', major: 1, minor: 3, magic: '' },
      ),
    );
    expect(gnu).toMatchObject({ type: 'block', major: 8, minor: 1 });
    expect(v7).toMatchObject({ type: 'character', major: 0, minor: 0 });
  });

  it("does not take the times of GNU's format for a prefix", async () => {
    const made = { ...file('name'), magic: 'ustar  \0', prefix: '14717112345' };
    expect((await read(archive(made))).map(({ name }) => name)).toEqual(['name']);
  });

  it('keeps names that are not UTF-8, one character a byte', async () => {
    const latin1 = Buffer.from('caf\xe9', 'latin1');
    const [plain, pax] = await read(
      archive({ name: latin1 }, { name: 'x', pax: [['path', Buffer.from('pax-\xe9\xff', 'latin1')]] }),
    );
    expect(plain?.name).toBe('caf\xe9');
    expect(pax?.name).toBe('pax-\xe9\xff');
  });

  it('reads base-256 numbers', async () => {
    const [big] = await read(
      archive({
        name: 'x',
        change: (block) => {
          block.fill(0, 108, 116);
          block[108] = 0x80;
          block.writeUInt32BE(3_000_000_000, 112);
        },
      }),
    );
    expect(big?.uid).toBe(3_000_000_000);
  });

  it('lets PAX win over the header, and a global header over nothing but it', async () => {
    const global = {
      name: 'g',
      type: 'g',
      content: records([
        ['uid', '7'],
        ['gid', '8'],
        ['comment', 'abc'],
      ]),
    };
    const entries = await read(
      archive(
        global,
        file('a', '', { uid: 1, gid: 1 }),
        file('b', '', {
          pax: [
            ['uid', '9'],
            ['mtime', '1.000000002'],
          ],
        }),
      ),
    );
    expect(entries.map(({ uid, gid, mtime }) => [uid, gid, mtime])).toEqual([
      [7, 8, 0n],
      [9, 8, 1_000_000_002n],
    ]);
  });

  it('takes an old file with a slash at the end for a directory', async () => {
    expect((await read(archive({ name: 'old/', type: '\0' }))).map(({ type }) => type)).toEqual([
      'directory',
    ]);
  });

  it('ignores the size of what has no content, as Go and Docker do', async () => {
    const entries = await read(
      archive({ ...symlink('l', 't'), size: 700 }, directory('d', { size: 4096 }), file('f', 'x')),
    );
    expect(entries.map(({ name, size }) => [name, size])).toEqual([
      ['l', 0],
      ['d', 0],
      ['f', 1],
    ]);
  });
});

describe('what is not an archive', () => {
  const whole = archive(file('a', 'x'.repeat(2000)), file('b', 'y'));

  it.each([
    ['nothing', Buffer.alloc(0), 'it is empty'],
    ['text', Buffer.from('hello\n'.repeat(200)), 'it is not a tar archive'],
    ['a few bytes', Buffer.from('hi'), 'it is not a tar archive'],
    ['an end in the content', whole.subarray(0, 1500), 'the tar is truncated: it ends at byte 1500'],
    ['an end in a header', whole.subarray(0, 512 + 2048 + 100), 'the tar is truncated'],
    ['an end between two entries', whole.subarray(0, 512 + 2048), 'the tar is truncated'],
    ['an end in the padding', whole.subarray(0, 512 + 2040), 'the tar is truncated'],
    [
      'something after the end',
      Buffer.concat([whole, Buffer.from('garbage')]),
      'something follows after the end',
    ],
    ['two archives', Buffer.concat([whole, whole]), 'something follows after the end'],
  ])('refuses %s', async (_, bytes, message) => {
    await expect(read(bytes)).rejects.toMatchObject({
      code: 'BAD_ARCHIVE',
      message: expect.stringContaining(message),
    });
  });

  it('takes zeros after the end, and a single block of them for the end', async () => {
    expect(await read(Buffer.concat([whole, Buffer.alloc(10240)]))).toHaveLength(2);
    expect(await read(whole.subarray(0, -512))).toHaveLength(2);
  });

  it('refuses a header whose bytes were changed', async () => {
    const bytes = Buffer.from(archive(file('a'), file('b')));
    bytes[512] = 0x7a;
    await expect(read(bytes)).rejects.toThrow('the tar header at byte 512 has a wrong checksum');
  });

  it.each([
    ['12x', 'not octal'],
    ['-5', 'not octal'],
    ['0x10', 'not octal'],
  ])('refuses the number %s, which readers read differently', async (text, message) => {
    const made = file('b', '', { change: (block) => block.fill(0, 124, 136) && block.write(text, 124) });
    await expect(read(archive(file('a'), made))).rejects.toThrow(message);
  });

  it('refuses base-256 sizes that are negative or beyond counting', async () => {
    for (const bytes of [
      Buffer.alloc(12, 0xff),
      Buffer.concat([Buffer.from([0x80]), Buffer.alloc(11, 0xff)]),
    ]) {
      const made = file('b', '', { change: (block) => bytes.copy(block, 124) });
      await expect(read(archive(file('a'), made))).rejects.toMatchObject({ code: 'BAD_ARCHIVE' });
    }
  });

  it.each<[string, Made[]]>([
    ['an unknown type', [{ name: 'a', type: 'Z' }]],
    ['a volume of several', [{ name: 'a', type: 'M' }]],
    [
      'two PAX headers for one entry',
      [{ name: 'x', type: 'x', content: records([['path', 'a']]) }, file('b', '', { pax: [['path', 'c']] })],
    ],
    ['a global header with a name', [{ name: 'g', type: 'g', content: records([['path', 'a']]) }, file('b')]],
    ['a PAX name with a NUL', [file('b', '', { pax: [['path', 'a\0b']] })]],
    ['an owner that means "no change" to chown', [file('b', '', { pax: [['uid', '4294967295']] })]],
    ['an extended header without an entry', [{ name: 'x', type: 'x', content: records([['path', 'a']]) }]],
  ])('refuses %s', async (_, entries) => {
    await expect(read(archive(...entries))).rejects.toMatchObject({ code: 'BAD_ARCHIVE' });
  });
});

describe('bounds', () => {
  it.each<[string, Partial<typeof ARCHIVE_LIMITS>, Made[], string]>([
    ['entries', { entries: 2 }, [file('a'), file('b'), file('c')], 'more than 2 entries'],
    [
      'bytes of a PAX header',
      { headerBytes: 100 },
      [file('a', '', { pax: [['comment', 'x'.repeat(200)]] })],
      'over the limit of 100',
    ],
    [
      'bytes of all global headers',
      { headerBytes: 100 },
      Array(3).fill({ name: 'g', type: 'g', content: records([['comment', 'x'.repeat(40)]]) }),
      'too many global headers',
    ],
    ['bytes of a name', {}, [file('a', '', { pax: [['path', 'x/'.repeat(2048)]] })], 'a name of 4096 bytes'],
    [
      'bytes of a GNU name',
      {},
      [{ name: 'L', type: 'L', content: 'x'.repeat(5000) }, file('a')],
      'over the limit of 4096',
    ],
  ])('keeps %s', async (_, limits, entries, message) => {
    await expect(read(archive(...entries), limits)).rejects.toThrow(message);
  });

  it('keeps a header of the largest size from being read before it is refused', async () => {
    const bytes = entry({ name: 'x', type: 'x', size: 8 ** 11 - 1 });
    await expect(read(bytes)).rejects.toThrow('an extended header of 8589934591 bytes');
  });
});

describe('archives of GNU tar', () => {
  let directoryPath: string;
  beforeAll(() => {
    directoryPath = mkdtempSync(join(tmpdir(), 'tsbox-tar-'));
    const fd = openSync(join(directoryPath, 'sparse'), 'w');
    // Twelve pieces: more than fit in the header of GNU's own format (4) and not all in one extension block's first half.
    for (let piece = 0; piece < 30; piece++) writeSync(fd, `piece ${piece}`, piece * 1_000_000);
    ftruncateSync(fd, 50_000_000);
    closeSync(fd);
    writeFileSync(join(directoryPath, `long-${'n'.repeat(200)}`), 'long');
  });
  afterAll(() => rmSync(directoryPath, { recursive: true, force: true }));

  it.each([
    ['gnu', ['--format=gnu']],
    ['pax 0.0', ['--format=pax', '--sparse-version=0.0']],
    ['pax 0.1', ['--format=pax', '--sparse-version=0.1']],
    ['pax 1.0', ['--format=pax', '--sparse-version=1.0']],
  ])('reads a sparse file in the format %s', async (_, options) => {
    const bytes = execFileSync('tar', [...options, '-S', '-C', directoryPath, '-cf', '-', 'sparse'], {
      maxBuffer: 1 << 26,
    });
    expect(bytes.length).toBeLessThan(500_000);
    const reader = new TarReader(pieces(bytes, 1000));
    const found = await reader.next();
    expect(found).toMatchObject({ name: 'sparse', type: 'file', size: 50_000_000 });
    const content = Buffer.alloc(50_000_000);
    await reader.content((part, offset) => part.copy(content, offset));
    expect(content.equals(readFileSync(join(directoryPath, 'sparse')))).toBe(true);
    expect(await reader.next()).toBeUndefined();
  });

  it.each(['gnu', 'pax', 'oldgnu'])('reads long names in the format %s', async (format) => {
    const name = `long-${'n'.repeat(200)}`;
    const bytes = execFileSync('tar', [`--format=${format}`, '-C', directoryPath, '-cf', '-', name]);
    expect((await read(bytes)).map((found) => [found.name, found.content])).toEqual([[name, 'long']]);
  });
});

describe('sparse maps that lie', () => {
  const sparse = (map: string, size: string, content = 'abcd'): Made =>
    file('s', content, {
      pax: [
        ['GNU.sparse.map', map],
        ['GNU.sparse.size', size],
      ],
    });

  it.each([
    ['overlapping pieces', sparse('0,3,2,1', '10')],
    ['pieces out of order', sparse('5,2,0,2', '10')],
    ['pieces beyond the end', sparse('8,4', '10')],
    ['more than the archive holds', sparse('0,5', '10')],
    ['less than the archive holds', sparse('0,3', '10')],
    ['an odd number of numbers', sparse('0,4,8', '10')],
    ['something that is no number', sparse('0,x', '10')],
    ['a negative number', sparse('-1,4', '10')],
    ['no size', file('s', 'abcd', { pax: [['GNU.sparse.map', '0,4']] })],
    ['a file of 8 EiB', sparse('0,4', '9007199254740991')],
    ['a version that nobody knows', file('s', '', { pax: [['GNU.sparse.major', '2']] })],
    [
      'a map in the content that has no end',
      file('s', '3\n', {
        pax: [
          ['GNU.sparse.major', '1'],
          ['GNU.sparse.realsize', '9'],
        ],
      }),
    ],
    [
      'a map in the content of a thousand million pieces',
      file('s', '1000000000\n', {
        pax: [
          ['GNU.sparse.major', '1'],
          ['GNU.sparse.realsize', '9'],
        ],
      }),
    ],
  ])('refuses %s', async (_, made) => {
    await expect(read(archive(made))).rejects.toMatchObject({ code: 'BAD_ARCHIVE' });
  });
});

async function read(
  bytes: Buffer,
  limits: Partial<typeof ARCHIVE_LIMITS> = {},
  size = 65536,
): Promise<(TarEntry & { content: string })[]> {
  const reader = new TarReader(pieces(bytes, size), { ...ARCHIVE_LIMITS, ...limits });
  const entries: (TarEntry & { content: string })[] = [];
  for (let found = await reader.next(); found !== undefined; found = await reader.next()) {
    const parts: Buffer[] = [];
    if (found.type === 'file') await reader.content((part) => void parts.push(Buffer.from(part)));
    entries.push({ ...found, content: Buffer.concat(parts).toString() });
  }
  return entries;
}

async function* pieces(bytes: Buffer, size: number) {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}
