import {
  chmodSync,
  chownSync,
  existsSync,
  linkSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { noteSeen, readKept, writeKept } from '../../../src/runtime/kept-file.ts';

const kept = {
  id: 'ab'.repeat(32),
  text: '{"ä":"\\n"}\nmore',
  arena: Buffer.from([...Array(300).keys()].map((n) => n % 256)),
};
let directory: string;
let file: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'tsbox-kept-'));
  chmodSync(directory, 0o700);
  file = join(directory, 'plan');
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

test('what is read is what was written, in memory of its own', () => {
  writeKept(file, kept);
  const read = readKept(file);
  expect(read).toEqual(kept);
  expect(read?.arena.byteOffset).toBe(0);
  expect(read?.arena.buffer.byteLength).toBe(300);
  expect(statSync(file).mode & 0o7777).toBe(0o600);
  expect(readdirSync(directory)).toEqual(['plan']);
});

test('one that is not there is none', () => {
  expect(readKept(file)).toBeUndefined();
});

test.each([0, 0.1, 0.3, 0.49, 0.51, 0.7, 0.999])('one flipped bit at %d of it, and it is none', (where) => {
  writeKept(file, kept);
  const bytes = readFileSync(file);
  const at = Math.floor(where * bytes.length);
  bytes.writeUInt8(bytes.readUInt8(at) ^ 4, at);
  writeFileSync(file, bytes);
  expect(readKept(file)).toBeUndefined();
});

test.each([0, 1, 100, 200, 400])('cut to %d bytes it is none', (length) => {
  writeKept(file, kept);
  truncateSync(file, length);
  expect(readKept(file)).toBeUndefined();
});

test.each([
  ['is twice the same of something else', () => writeFileSync(file, 'other\n'.repeat(2))],
  [
    'says that its text is longer than it is',
    () => {
      const half = readFileSync(file).subarray(0, readFileSync(file).length / 2);
      const longer = Buffer.from(half.toString('latin1').replace(/ \d+\n/, ' 99999999\n'), 'latin1');
      writeFileSync(file, Buffer.concat([longer, longer]));
    },
  ],
  ['others can read', () => chmodSync(file, 0o644)],
  ['others can write', () => chmodSync(file, 0o622)],
  ['is in a directory that others can write to', () => chmodSync(directory, 0o777)],
  [
    'is behind a symbolic link',
    () => {
      renameSync(file, `${file}.real`);
      symlinkSync(`${file}.real`, file);
    },
  ],
])('one that %s is none', (_, spoil) => {
  writeKept(file, kept);
  expect(readKept(file)).toBeDefined();
  spoil();
  expect(readKept(file)).toBeUndefined();
});

test.skipIf(process.getuid?.() !== 0).each(['plan', '.'])(
  'somebody else owns %s: it is none (skipped without root, which chown needs)',
  (what) => {
    writeKept(file, kept);
    chownSync(join(directory, what), 12345, 0);
    expect(readKept(file)).toBeUndefined();
  },
);

test('a hard link does not change what it is, and a second one is not written over', () => {
  writeKept(file, kept);
  linkSync(file, `${file}.link`);
  writeKept(file, { ...kept, text: 'other' });
  expect(readKept(`${file}.link`)?.text).toBe(kept.text);
  expect(readKept(file)?.text).toBe('other');
});

test('who is used stays young', () => {
  writeKept(file, kept);
  const { mtimeMs } = statSync(file);
  expect(readKept(file)).toEqual(kept);
  expect(statSync(file).mtimeMs).toBe(mtimeMs);
  utimesSync(file, 1000, 1000);
  expect(readKept(file)).toEqual(kept);
  expect(statSync(file).mtimeMs).toBeGreaterThan(mtimeMs - 1000);
});

test('there are never many, and the oldest go', () => {
  const below = join(directory, 'plans');
  for (let number = 0; number < 65; number++) noteSeen(join(below, String(number).padStart(3, '0')));
  expect(readdirSync(below)).toHaveLength(32);
  expect(existsSync(join(below, '064'))).toBe(true);
  expect(statSync(below).mode & 0o7777).toBe(0o700);
  expect(readKept(join(below, '064'))).toBeUndefined();
});
