import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { lockFile, lookInto } from '../../../src/kernel/index.ts';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'tsbox-look-'));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

const FILES = { read: 'record', size: 'exit' };
const look = (...names: string[]) => lookInto(directory, names, FILES);

function make(name: string, files: Record<string, string> = {}): void {
  mkdirSync(join(directory, name));
  for (const [file, text] of Object.entries(files)) writeFileSync(join(directory, name, file), text);
}

test('says of each what is in it and whether somebody holds it', () => {
  make('one', { record: '{"über": "€"}', exit: '' });
  make('two', { record: '', exit: '0 0 0\n' });
  make('three');
  const lock = lockFile(join(directory, 'two'), 'exclusive');
  expect(look('two', 'none', 'one', 'three')).toEqual([
    { name: 'two', text: '', locked: true, size: 6 },
    { name: 'none', text: undefined, locked: false, size: undefined },
    { name: 'one', text: '{"über": "€"}', locked: false, size: 0 },
    { name: 'three', text: undefined, locked: false, size: undefined },
  ]);
  lock.release();
  expect(look('two')[0]?.locked).toBe(false);
});

test('keeps no lock that it has found free', () => {
  make('one');
  look('one');
  const lock = lockFile(join(directory, 'one'), 'exclusive', { wait: false });
  expect(lock).toBeDefined();
  lock?.release();
});

test('a thousand at once, whatever their length', () => {
  const texts = Array.from({ length: 1000 }, (_, index) => 'x'.repeat(index % 300));
  for (const [index, text] of texts.entries()) make(`n${index}`, { record: text });
  const looks = look(...texts.map((_, index) => `n${index}`));
  expect(looks.map(({ text }) => text)).toEqual(texts);
});

test('a file for which there is no room is not read, and those after it are', () => {
  make('large', { record: 'x'.repeat(20_000) });
  make('fits', { record: 'small' });
  make('exact', { record: 'y'.repeat(3 * 4096 - 5) });
  expect(look('large', 'fits', 'fits').map(({ text }) => text)).toEqual([undefined, 'small', 'small']);
  expect(look('fits', 'exact', 'fits').map(({ text }) => text)).toEqual(['small', undefined, 'small']);
});

test('what is no directory, or has a name that is too long, is nothing', () => {
  writeFileSync(join(directory, 'file'), '');
  symlinkSync('nowhere', join(directory, 'link'));
  const nothing = { text: undefined, locked: false, size: undefined };
  const long = 'n'.repeat(250);
  make(long, { record: 'text' });
  expect(look('file', 'link', long)).toEqual([
    { name: 'file', ...nothing },
    { name: 'link', ...nothing },
    { name: long, ...nothing },
  ]);
  expect(lookInto(join(directory, 'gone'), [], FILES)).toEqual([]);
});
