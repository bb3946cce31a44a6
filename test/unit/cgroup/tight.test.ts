import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type CgroupHost, memoryIsTight } from '../../../src/cgroup/index.ts';

let mountPoint: string;
const tight = (path: string, limit?: string) =>
  memoryIsTight(
    { mountPoint } as CgroupHost,
    join(mountPoint, path),
    limit === undefined ? [] : [{ file: 'memory.max', value: limit, controller: 'memory' } as never],
  );

beforeAll(() => {
  mountPoint = mkdtempSync(join(tmpdir(), 'tsbox-tight-'));
  mkdirSync(join(mountPoint, 'limited', 'below'), { recursive: true });
  mkdirSync(join(mountPoint, 'free'));
  writeFileSync(join(mountPoint, 'limited', 'memory.max'), '104857600\n');
  writeFileSync(join(mountPoint, 'limited', 'below', 'memory.max'), 'max\n');
  writeFileSync(join(mountPoint, 'free', 'memory.max'), 'max\n');
});
afterAll(() => rmSync(mountPoint, { recursive: true, force: true }));

test('where its own limit is near what a start takes', () => {
  expect(tight('free/x', '6291456')).toBe(true);
  expect(tight('free/x', '67108864')).toBe(false);
  expect(tight('free/x', 'max')).toBe(false);
});

test('where a group above has a limit, which others may have used up', () => {
  expect(tight('limited/x')).toBe(true);
  expect(tight('limited/below/x', '67108864')).toBe(true);
});

test('not where nothing limits it, nor without the controller', () => {
  expect(tight('free/x')).toBe(false);
  expect(tight('none/x')).toBe(false);
  expect(tight('x')).toBe(false);
});
