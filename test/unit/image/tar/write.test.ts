import { execFileSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { tarEnd, tarHeader, tarPadding } from '../../../../src/image/tar/write.ts';

const list = (bytes: Buffer) =>
  execFileSync('tar', ['--numeric-owner', '--full-time', '--utc', '-tvf', '-'], {
    input: bytes,
    encoding: 'utf8',
    stdio: ['pipe', 'pipe', 'pipe'],
  });

describe('writing a tar', () => {
  it('writes what tar(1) reads', () => {
    const content = Buffer.from('hello');
    const bytes = Buffer.concat([
      tarHeader({ name: 'blobs/', size: 0, type: 'Directory' }),
      tarHeader({ name: 'blobs/a', size: 5, type: 'File' }),
      content,
      tarPadding(5),
      tarHeader({ name: 'empty', size: 0, type: 'File' }),
      tarPadding(0),
      tarEnd(),
    ]);
    expect(bytes.length).toBe(6 * 512);
    expect(list(bytes)).toBe(
      [
        'drwxr-xr-x 0/0               0 1970-01-01 00:00:00 blobs/',
        '-rw-r--r-- 0/0               5 1970-01-01 00:00:00 blobs/a',
        '-rw-r--r-- 0/0               0 1970-01-01 00:00:00 empty',
        '',
      ].join('\n'),
    );
  });

  it.each([
    [8 * 2 ** 30 - 1, '77777777777\0'],
    [8 * 2 ** 30, Buffer.from([0x80, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0])],
  ])('writes a size of %i bytes in its field', (size, field) => {
    const header = tarHeader({ name: 'large', size, type: 'File' });
    // POSIX.1-2017: 12 octal digits, the last of them a space or NUL; GNU: base-256 with the top bit of the first byte set.
    expect(header.subarray(124, 136)).toEqual(Buffer.from(field));
  });

  it('refuses a name for which there is no room', () => {
    expect(() => tarHeader({ name: 'x'.repeat(300), size: 0, type: 'File' })).toThrow('too long');
  });
});
