import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from 'esbuild';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { identify, openProcess } from '../../../../src/engine/process-identity.ts';
import { type ContainerRecord, readRecord, writeRecord } from '../../../../src/engine/record.ts';
import { withStateLock } from '../../../../src/engine/state-lock.ts';
import { updateRecord } from '../../../../src/engine/update-record.ts';
import { closeDescriptor } from '../../../../src/kernel/index.ts';

const ID = 'cd'.repeat(32);
const source = (name: string) => JSON.stringify(join(import.meta.dirname, '../../../../src/engine', name));
let root: string;
let usual: string | undefined;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'tsbox-state-'));
  usual = process.env.TSBOX_ROOT;
  process.env.TSBOX_ROOT = root;
  mkdirSync(join(root, 'containers', ID), { recursive: true });
  const record: ContainerRecord = {
    id: ID,
    name: 'web',
    image: 'a',
    imageId: 'sha256:1',
    command: [],
    created: '2026-01-01T00:00:00.000Z',
    labels: {},
    status: 'created',
    rm: false,
  };
  writeRecord(record);
});
afterEach(() => {
  if (usual === undefined) delete process.env.TSBOX_ROOT;
  else process.env.TSBOX_ROOT = usual;
  rmSync(root, { recursive: true, force: true });
});

it('no change is lost when several processes make them', { timeout: 30_000 }, async () => {
  const file = join(root, 'count.ts');
  writeFileSync(
    file,
    `import { updateRecord } from ${source('update-record.ts')};
     for (let i = 0; i < 50; i++) updateRecord('${ID}', (now) => ({ ...now, restartCount: (now.restartCount ?? 0) + 1 }));`,
  );
  const kernel = JSON.stringify(join(import.meta.dirname, '../../../../src/kernel'));
  const require =
    "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);";
  await build({
    ...{ entryPoints: [file], outfile: `${file}.mjs`, bundle: true, platform: 'node', format: 'esm' },
    ...{ external: ['koffi'], define: { 'import.meta.dirname': kernel }, banner: { js: require } },
  });
  const children = Array.from({ length: 4 }, () =>
    spawn(process.execPath, [`${file}.mjs`], { stdio: ['ignore', 'ignore', 'inherit'] }),
  );
  const codes = await Promise.all(children.map(async (child) => (await once(child, 'exit'))[0]));
  expect(codes).toEqual([0, 0, 0, 0]);
  expect(readRecord(ID)?.restartCount).toBe(200);
});

it('keeps the record before the last one', () => {
  updateRecord(ID, (now) => ({ ...now, exitCode: 1 }));
  updateRecord(ID, (now) => ({ ...now, exitCode: 2 }));
  const old = JSON.parse(readFileSync(join(root, 'containers', ID, 'container.json.old'), 'utf8'));
  expect([old.exitCode, readRecord(ID)?.exitCode]).toEqual([1, 2]);
  expect(updateRecord(ID, () => undefined)?.exitCode).toBe(2);
});

it('nothing happens to a container that is gone', () => {
  rmSync(join(root, 'containers', ID), { recursive: true });
  expect(updateRecord(ID, (now) => now)).toBeUndefined();
  expect(withStateLock(ID, () => 1)).toBeUndefined();
});

it('a lock that is not given back names its holder', () => {
  let message = '';
  withStateLock(ID, () => {
    try {
      withStateLock(ID, () => {}, 0.05);
    } catch (error) {
      message = (error as Error).message;
    }
  });
  expect(message).toMatch(
    new RegExp(
      `^container ${ID.slice(0, 12)} is locked: process ${process.pid} \\(.+\\) has had it for 0.05 s$`,
    ),
  );
  expect(withStateLock(ID, () => 'free')).toBe('free');
});

it('a process is known by its beginning, too', () => {
  const me = identify(process.pid);
  expect(me?.start).toBeGreaterThan(0);
  const open = openProcess({ pid: process.pid, start: me?.start });
  expect(open).toBeGreaterThan(2);
  closeDescriptor(open as number);
  expect(openProcess({ pid: process.pid, start: (me?.start ?? 0) + 1 })).toBeUndefined();
  expect(openProcess({ pid: 2 ** 22 + 1 })).toBeUndefined();
});
