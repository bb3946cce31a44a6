import { mkdirSync, mkdtempSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { readConfigAgain } from '../../../src/engine/config-file.ts';

const ID = 'e'.repeat(64);
let root: string;
let file: string;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'tsbox-config-'));
  vi.stubEnv('TSBOX_ROOT', root);
  mkdirSync(join(root, 'containers', ID), { recursive: true });
  file = join(root, 'containers', ID, 'config.json');
});

afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllEnvs();
  rmSync(root, { recursive: true, force: true });
});

function write(hostname: string): void {
  writeFileSync(`${file}.new`, JSON.stringify({ ociVersion: '1.2.0', hostname, linux: {} }));
  renameSync(`${file}.new`, file);
}

/** Time stamps of files are the kernel's: what can be moved is our clock. */
function later(): void {
  vi.spyOn(Date, 'now').mockReturnValue(statSync(file).ctimeMs + 1000);
}

test('as long as the file is the same, the object is', () => {
  write('one');
  later();
  const first = readConfigAgain(ID);
  expect(readConfigAgain(ID)).toBe(first);
  expect(first.hostname).toBe('one');
});

test('a file that was replaced is read', () => {
  write('one');
  later();
  expect(readConfigAgain(ID).hostname).toBe('one');
  write('two');
  later();
  expect(readConfigAgain(ID).hostname).toBe('two');
});

test('one that was changed a moment ago may change again without looking different', () => {
  write('one');
  const first = readConfigAgain(ID);
  write('two');
  expect(first.hostname).toBe('one');
  expect(readConfigAgain(ID).hostname).toBe('two');
});

test('one that is gone is not remembered', () => {
  write('one');
  later();
  readConfigAgain(ID);
  rmSync(file);
  expect(() => readConfigAgain(ID)).toThrow(expect.objectContaining({ code: 'NO_CONFIG' }));
});
