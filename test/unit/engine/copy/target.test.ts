import { expect, test } from 'vitest';
import { chooseTarget, isContent, wantsDirectory } from '../../../../src/engine/copy/target.ts';

const directory = { shown: '/there', path: '/there', type: 'directory' } as const;
const file = { shown: '/there/file', path: '/there/file', type: 'file' } as const;
const absent = { shown: '/there/new', path: '/there/new', type: 'none', parent: true } as const;

test('into a directory that is there: by its own name, or its content', () => {
  expect(chooseTarget('a', false, directory)).toEqual({ base: '/there', name: 'a' });
  expect(chooseTarget('a', true, directory)).toEqual({ base: '/there', name: 'a' });
  expect(chooseTarget('', true, directory)).toEqual({ base: '/there', name: '' });
});

test('over a file: a file, never a directory', () => {
  expect(chooseTarget('a', false, file)).toEqual({ base: '/there', name: 'file' });
  expect(() => chooseTarget('a', true, file)).toThrow('cannot copy a directory to the file /there/file');
  expect(() => chooseTarget('a', false, { ...file, shown: '/there/file/' })).toThrow('is not a directory');
});

test('to what is not there: it gets that name, if the directory above is there', () => {
  expect(chooseTarget('a', false, absent)).toEqual({ base: '/there', name: 'new' });
  expect(chooseTarget('', true, absent)).toEqual({ base: '/there', name: 'new' });
  expect(chooseTarget('a', true, { ...absent, shown: '/there/new/' })).toEqual({
    base: '/there',
    name: 'new',
  });
  expect(() => chooseTarget('a', false, { ...absent, shown: '/there/new/' })).toThrow('must exist');
  expect(() => chooseTarget('a', true, { ...absent, parent: false })).toThrow('does not exist');
});

test.each([
  ['/a', false, false],
  ['/a/', true, false],
  ['/a/.', true, true],
  ['.', true, true],
  ['..', true, false],
  ['/', true, true],
  ['//', true, true],
  ['/a/.b', false, false],
  ['a.', false, false],
])('%s: a directory %s, its content %s', (path, isDirectory, content) => {
  expect(wantsDirectory(path)).toBe(isDirectory);
  expect(isContent(path)).toBe(content);
});

test('names are bytes', () => {
  const { name } = chooseTarget('a', false, { ...absent, path: '/there/über' });
  expect(Buffer.from(name, 'latin1').toString()).toBe('über');
});
