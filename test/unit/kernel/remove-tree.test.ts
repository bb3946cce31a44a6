import {
  closeSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { native } from '../../../src/kernel/index.ts';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'tsbox-remove-'));
  writeFileSync(join(directory, 'outside'), '');
  mkdirSync(join(directory, 'tree'));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

/** The quick part of `removeTree` alone: native/remove.h. */
function empty(): string[] {
  const fd = openSync(join(directory, 'tree'), 'r');
  native().empty(fd);
  closeSync(fd);
  return readdirSync(join(directory, 'tree'));
}

test('what a container leaves is removed at once', () => {
  mkdirSync(join(directory, 'tree/upper/etc'), { recursive: true });
  mkdirSync(join(directory, 'tree/work/work/incompat/volatile'), { recursive: true });
  for (const name of [
    'config.json',
    'upper/etc/hosts',
    '.hidden',
    '...',
    'work/work/incompat/volatile/dirty',
  ])
    writeFileSync(join(directory, 'tree', name), '');
  expect(empty()).toEqual([]);
  expect(readdirSync(directory).sort()).toEqual(['outside', 'tree']);
});

test('more names than one call of the kernel gives, and names that are not UTF-8', () => {
  for (let index = 0; index < 500; index++)
    mkdirSync(join(directory, 'tree', `${'n'.repeat(200)}-${index}`, 'inner'), { recursive: true });
  writeFileSync(Buffer.concat([Buffer.from(`${directory}/tree/`), Buffer.from([0xff, 0xfe])]), '');
  expect(empty()).toEqual([]);
});

test('a link is removed, and not what it leads to', () => {
  symlinkSync(directory, join(directory, 'tree/link'));
  symlinkSync('../outside', join(directory, 'tree/another'));
  expect(empty()).toEqual([]);
  expect(existsSync(join(directory, 'outside'))).toBe(true);
});

test('what lies too deep for it stays for the other part', () => {
  const deep = join(directory, 'tree', ...Array<string>(40).fill('d'));
  mkdirSync(deep, { recursive: true });
  writeFileSync(join(deep, 'file'), '');
  expect(empty()).toEqual(['d']);
  expect(existsSync(join(deep, 'file'))).toBe(true);
});

test('a descriptor that is none does no harm', () => {
  expect(() => native().empty(-1)).not.toThrow();
});
