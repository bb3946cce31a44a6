import { type ChildProcess, spawn } from 'node:child_process';
import {
  closeSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  lockAbandoned,
  makeContainerDirectory,
  nameOwner,
  newContainerId,
  releaseName,
  removeContainerDirectory,
} from '../../../src/engine/container-directory.ts';
import { findContainer } from '../../../src/engine/find-container.ts';
import { type ContainerRecord, containerIds, readRecord, writeRecord } from '../../../src/engine/record.ts';
import { idRangesInUse, imageUser, listContainers } from '../../../src/engine/records.ts';
import { removeContainer } from '../../../src/engine/remove.ts';
import { sweep, sweepAndList } from '../../../src/engine/sweep.ts';
import { nativeFile } from '../../../src/kernel/index.ts';

let root: string;
let usual: string | undefined;
const children: ChildProcess[] = [];

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'tsbox-containers-'));
  usual = process.env.TSBOX_ROOT;
  process.env.TSBOX_ROOT = root;
});
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
  if (usual === undefined) delete process.env.TSBOX_ROOT;
  else process.env.TSBOX_ROOT = usual;
  rmSync(root, { recursive: true, force: true });
});

const recordOf = (id: string, name: string, more: Partial<ContainerRecord> = {}): ContainerRecord => ({
  id,
  name,
  image: 'alpine',
  imageId: 'sha256:1',
  command: ['sh'],
  created: '2026-01-02T03:04:05.000Z',
  labels: {},
  status: 'running',
  rm: false,
  ...more,
});
const file = (id: string) => join(root, 'containers', id, 'container.json');

/** A container whose tsbox is this process. */
function held(name: string, more: Partial<ContainerRecord> = {}) {
  const directory = makeContainerDirectory(newContainerId(), name);
  writeRecord(recordOf(directory.id, name, more));
  return directory;
}

/** A container whose tsbox was: nobody holds its lock. */
function abandoned(name: string, more: Partial<ContainerRecord> = {}): string {
  const { id, fd } = held(name, more);
  closeSync(fd);
  return id;
}

describe('a directory', () => {
  test('is made with the writable layer, a lock and a name', () => {
    const { id, path, fd } = makeContainerDirectory(newContainerId(), 'web');
    expect(id).toMatch(/^[0-9a-f]{64}$/);
    expect(newContainerId()).not.toBe(id);
    expect(path).toBe(join(root, 'containers', id));
    expect(readdirSync(path).sort()).toEqual(['upper', 'work']);
    expect(nameOwner('web')).toBe(id);
    expect(lockAbandoned(id)).toBeUndefined();
    closeSync(fd);
    const lock = lockAbandoned(id);
    expect(lock).toBeGreaterThan(2);
    closeSync(lock as number);
  });

  test('of a name that is taken is not left behind', () => {
    const { id, fd } = makeContainerDirectory(newContainerId(), 'web');
    expect(() => makeContainerDirectory(newContainerId(), 'web')).toThrow(
      `the name \`web\` is already used by container ${id.slice(0, 12)}`,
    );
    expect(() => makeContainerDirectory(newContainerId(), 'web')).toThrow(
      expect.objectContaining({ code: 'NAME_IN_USE', exitCode: 125 }),
    );
    expect(containerIds()).toEqual([id]);
    closeSync(fd);
  });

  test('without a name gets one that nobody has', () => {
    const made = Array.from({ length: 40 }, () => makeContainerDirectory(newContainerId(), undefined));
    expect(new Set(made.map(({ name }) => name)).size).toBe(40);
    for (const { name, fd } of made) {
      expect(name).toMatch(/^[a-z]+_[a-z]+\d*$/);
      closeSync(fd);
    }
  });

  test('is removed with its name, and with files whose names are not UTF-8', () => {
    const { id, path, fd } = makeContainerDirectory(newContainerId(), 'web');
    writeFileSync(Buffer.concat([Buffer.from(`${path}/upper/`), Buffer.from([0xff, 0xfe])]), '');
    removeContainerDirectory(id, 'web');
    closeSync(fd);
    expect(existsSync(path)).toBe(false);
    expect(nameOwner('web')).toBeUndefined();
  });

  test('keeps a name that is another’s by now', () => {
    const { id, fd } = makeContainerDirectory(newContainerId(), 'web');
    removeContainerDirectory(newContainerId(), 'web');
    releaseName('web', 'another');
    expect(nameOwner('web')).toBe(id);
    closeSync(fd);
  });
});

describe('a record', () => {
  test('is written aside and renamed: a crash in between leaves the old one', () => {
    const { id, fd } = held('web', { exitCode: 1 });
    expect(readdirSync(join(root, 'containers', id)).sort()).toEqual(['container.json', 'upper', 'work']);
    writeFileSync(`${file(id)}.new`, '{"id":"');
    expect(readRecord(id)).toEqual(recordOf(id, 'web', { exitCode: 1 }));
    writeRecord(recordOf(id, 'web', { exitCode: 2 }));
    expect(readRecord(id)?.exitCode).toBe(2);
    expect(existsSync(`${file(id)}.new`)).toBe(false);
    closeSync(fd);
  });

  test.each(['', '{"id":"abc', 'null', '[]', '"text"', '{}', '{"id":"other","status":"exited"}'])(
    'that is broken is as none: %j',
    (text) => {
      const { id, fd } = held('web');
      writeFileSync(file(id), text);
      expect(readRecord(id)).toBeUndefined();
      expect(listContainers()).toEqual([]);
      closeSync(fd);
    },
  );

  test('only directories with an id for a name are containers', () => {
    mkdirSync(join(root, 'containers', '..hidden'), { recursive: true });
    mkdirSync(join(root, 'containers', 'A'.repeat(64)));
    expect(containerIds()).toEqual([]);
    rmSync(join(root, 'containers'), { recursive: true });
    expect(containerIds()).toEqual([]);
  });
});

describe('the list', () => {
  test('shows what runs, and what was running when its tsbox was killed as exited', () => {
    const running = held('one', { created: '2026-01-01T00:00:00.000Z', idRange: { hostID: 5, size: 6 } });
    const lost = abandoned('two', { created: '2026-03-01T00:00:00.000Z' });
    abandoned('three', { rm: true });
    const ended = abandoned('four', { status: 'exited', exitCode: 3, created: '2026-02-01T00:00:00.000Z' });
    expect(listContainers().map(({ id, status, exitCode }) => [id, status, exitCode])).toEqual([
      [lost, 'exited', 137],
      [ended, 'exited', 3],
      [running.id, 'running', undefined],
    ]);
    expect(idRangesInUse()).toEqual([{ hostID: 5, size: 6 }]);
    expect(imageUser({ id: 'sha256:1' })).toEqual({ id: running.id, name: 'one', running: true });
    expect(imageUser({ id: 'sha256:2' })).toBeUndefined();
    closeSync(running.fd);
  });

  test('finds one by its name, its id or the beginning of that', () => {
    const a = abandoned('web', { status: 'exited' });
    const b = abandoned(a.slice(0, 20), { status: 'exited' });
    expect(findContainer('web').id).toBe(a);
    expect(findContainer(a).id).toBe(a);
    // A name comes before the beginning of an id.
    expect(findContainer(a.slice(0, 20)).id).toBe(b);
    expect(() => findContainer('')).toThrow(expect.objectContaining({ code: 'NO_CONTAINER' }));
    expect(() => findContainer('wed')).toThrow(/there is no container `wed`.*web/);
    expect(() => findContainer('../names/web')).toThrow(expect.objectContaining({ code: 'NO_CONTAINER' }));
    expect(() => findContainer('0'.repeat(64))).toThrow(expect.objectContaining({ code: 'NO_CONTAINER' }));
    const twin = `${a.slice(0, 63)}${a.endsWith('0') ? '1' : '0'}`;
    closeSync(makeContainerDirectory(twin, 'twin').fd);
    expect(() => findContainer(a.slice(0, 30))).toThrow(expect.objectContaining({ code: 'AMBIGUOUS_ID' }));
  });
});

/** Another process that holds the container's lock, as its tsbox would. */
async function lockedByChild(id: string): Promise<ChildProcess> {
  // flock(1) is not everywhere; the same library in another Node is.
  const script = `
    const { openSync } = require('node:fs');
    const { createRequire } = require('node:module');
    const koffi = createRequire(${JSON.stringify(join(import.meta.dirname, 'x.js'))})('koffi');
    const call = koffi.load(${JSON.stringify(nativeFile('tsbox.so'))}).func(
      'tsbox_syscall', 'int64_t', ['int64_t', 'int64_t', 'int64_t', 'int64_t', 'int64_t', 'int64_t', 'int64_t']);
    const fd = openSync(${JSON.stringify(join(root, 'containers', id))}, 'r');
    console.log(call(${process.arch === 'arm64' ? 32 : 73}, fd, 2, 0, 0, 0, 0));
    setInterval(() => {}, 1000);`;
  const child = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'inherit'] });
  children.push(child);
  const answer = await new Promise((resolve) => child.stdout.once('data', (data) => resolve(String(data))));
  expect(answer).toBe('0\n');
  return child;
}

/** What a place has after all that can have become of containers; the directories of those that live. */
function everyFate(): number[] {
  const runs = held('runs');
  const ending = held('ending', { detached: true });
  const again = held('again', { detached: true, options: { restart: 'always' } });
  for (const { id } of [ending, again])
    writeFileSync(join(root, 'containers', id, 'exit'), '7 0 0 1700000000000000000\n');
  const empty = held('empty', { detached: true });
  writeFileSync(join(root, 'containers', empty.id, 'exit'), '');
  const starting = held('starting', { detached: true, status: 'created' });
  abandoned('made', { detached: true, status: 'created' });
  abandoned('lost');
  abandoned('removed', { rm: true });
  abandoned('ended', { status: 'exited', exitCode: 3 });
  const recorded = abandoned('recorded', { detached: true });
  writeFileSync(join(root, 'containers', recorded, 'exit'), '9 0 0 1700000000000000000\n');
  // Its tsbox was killed while it renamed it, and another's before it wrote a record.
  symlinkSync(runs.id, join(root, 'names', 'formerly'));
  closeSync(makeContainerDirectory(newContainerId(), 'half').fd);
  symlinkSync(newContainerId(), join(root, 'names', 'nowhere'));
  return [runs, ending, again, empty, starting].map(({ fd }) => fd);
}

describe('a sweep that lists', () => {
  test('does what the two do, and says what they say', () => {
    const listed = (records: ContainerRecord[]) =>
      records.map(({ name, status, exitCode }) => `${name} ${status} ${exitCode}`).sort();
    const expected = [
      ...['again running undefined', 'empty running undefined', 'ended exited 3', 'ending exited 7'],
      ...['lost exited 137', 'made created undefined', 'recorded exited 9', 'runs running undefined'],
      'starting created undefined',
    ];
    const names = expected.map((line) => line.split(' ')[0]);
    const fds = everyFate();
    expect(listed(sweepAndList())).toEqual(expected);
    expect(readdirSync(join(root, 'names')).sort()).toEqual(names);
    expect(listed(sweepAndList())).toEqual(expected);
    for (const fd of fds) closeSync(fd);
    rmSync(root, { recursive: true });
    const others = everyFate();
    sweep();
    expect(listed(listContainers())).toEqual(expected);
    expect(readdirSync(join(root, 'names')).sort()).toEqual(names);
    for (const fd of others) closeSync(fd);
  });

  test('is newest first, and of nothing nothing', () => {
    expect(sweepAndList()).toEqual([]);
    abandoned('one', { status: 'exited', created: '2026-01-01T00:00:00.000Z' });
    abandoned('two', { status: 'exited', created: '2026-03-01T00:00:00.000Z' });
    expect(sweepAndList().map(({ name }) => name)).toEqual(['two', 'one']);
  });
});

describe('a sweep', () => {
  test('leaves what somebody holds, and takes it once that one was killed', async () => {
    const id = abandoned('web', { rm: true });
    const child = await lockedByChild(id);
    sweep();
    expect(listContainers().map(({ name }) => name)).toEqual(['web']);
    await expect(removeContainer('web')).rejects.toThrow('container web is running');
    const gone = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGKILL');
    await gone;
    sweep();
    expect(containerIds()).toEqual([]);
    expect(nameOwner('web')).toBeUndefined();
  });

  test('keeps one that is to be kept, as exited', () => {
    const id = abandoned('web', { pid: 5 });
    sweep();
    expect(readRecord(id)).toMatchObject({ name: 'web', status: 'exited', exitCode: 137 });
    const first = readRecord(id)?.finished;
    sweep();
    expect(readRecord(id)?.finished).toBe(first);
  });

  test('removes one that has no record yet, and names that lead nowhere', () => {
    const { fd } = makeContainerDirectory(newContainerId(), 'half');
    closeSync(fd);
    const kept = abandoned('kept', { status: 'exited' });
    symlinkSync(newContainerId(), join(root, 'names', 'nowhere'));
    sweep();
    expect(containerIds()).toEqual([kept]);
    expect(readdirSync(join(root, 'names'))).toEqual(['kept']);
  });

  test('removes no group whose name is not the container’s, whatever the record says', () => {
    const victim = join(root, 'somebody-elses');
    mkdirSync(victim);
    abandoned('web', { rm: true, cgroup: victim });
    sweep();
    expect(containerIds()).toEqual([]);
    expect(existsSync(victim)).toBe(true);
  });

  test('has nothing to do where nothing ever was', () => {
    expect(() => sweep()).not.toThrow();
  });
});

test('one that has ended can be removed, by name', async () => {
  const id = abandoned('web', { status: 'exited' });
  expect(await removeContainer('web')).toBe(id);
  expect(containerIds()).toEqual([]);
  await expect(removeContainer('web')).rejects.toThrow(expect.objectContaining({ code: 'NO_CONTAINER' }));
});
