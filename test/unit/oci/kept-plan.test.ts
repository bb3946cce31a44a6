import { createHash } from 'node:crypto';
import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { layOut } from '../../../src/launch/index.ts';
import { layOutAgain } from '../../../src/oci/kept-plan.ts';
import { type PlanInput, planContainer } from '../../../src/runtime/index.ts';
import { readKept, writeKept } from '../../../src/runtime/kept-file.ts';
import { sampleInput, sampleSpec } from '../runtime/sample.ts';

const BASE = 0x1000000000;
const hex = (seed: string) => createHash('sha256').update(seed).digest('hex');

let store: string;
let directory: string;
beforeEach(() => {
  store = mkdtempSync(join(tmpdir(), 'tsbox-plans-'));
  directory = join(store, 'cache', 'oci-plans');
  vi.stubEnv('TSBOX_ROOT', store);
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(store, { recursive: true });
});

/** As an engine configures it: names that it makes up, in several places. */
function container(seed: string, change: (input: PlanInput) => void = () => {}): PlanInput {
  const id = hex(seed);
  const spec = sampleSpec();
  spec.hostname = id.slice(0, 12);
  spec.root.path = `/storage/overlay/${hex(`layer of ${seed}`)}/merged`;
  spec.process.env = [...spec.process.env, `HOSTNAME=${id.slice(0, 12)}`];
  spec.annotations = { made: seed };
  return sampleInput((input) => {
    input.id = id;
    input.overlay = undefined;
    input.cgroup = { path: `/sys/fs/cgroup/engine/libpod-${id}`, writes: [] };
    change(input);
  }, spec);
}

/** What it is laid out as, which must always be what planning gives. */
function laidOut(input: PlanInput, build = hex('one')) {
  const before = Buffer.from(layOut(planContainer(input), { base: BASE }).bytes);
  const plan = layOutAgain(input, BASE, build);
  expect(plan.bytes.equals(before)).toBe(true);
  return plan;
}

const files = () => readdirSync(directory);
const keptFile = () => readKept(join(directory, files()[0] as string));
const header = () => JSON.parse(keptFile()?.text ?? '{}');

describe('the plan of a container like others', () => {
  test('is noted, kept, compared and then believed', () => {
    laidOut(container('a'));
    expect(files()).toHaveLength(1);
    expect(statSync(join(directory, files()[0] as string)).size).toBe(0);
    laidOut(container('b'));
    expect(header().names).toContain(hex('b'));
    expect(header().proven).not.toContain(true);
    laidOut(container('c'));
    expect(header().proven).not.toContain(false);
    const { mtimeMs } = statSync(join(directory, files()[0] as string));
    for (const seed of ['d', 'e', 'f']) laidOut(container(seed));
    expect(statSync(join(directory, files()[0] as string)).mtimeMs).toBe(mtimeMs);
  });

  test('comes from disk then, and tells what failed as one that was planned', () => {
    for (const seed of ['a', 'b', 'c']) laidOut(container(seed));
    const [name] = files() as [string];
    const kept = keptFile() as NonNullable<ReturnType<typeof keptFile>>;
    // Something that planning would not give.
    const last = kept.arena.length - 1;
    kept.arena[last] = (kept.arena[last] as number) ^ 1;
    writeKept(join(directory, name), kept);
    const input = container('d');
    const planned = layOut(planContainer(input), { base: BASE });
    const plan = layOutAgain(input, BASE, hex('one'));
    expect(plan.bytes[last]).toBe(kept.arena[last]);
    expect(plan.outcomeLength).toBe(planned.outcomeLength);
    expect(plan.pid()).toBe(planned.slot(planContainer(input).pid));
    expect(plan.failure()).toBeUndefined();
    // As native/launch.c leaves it: the step, and its errno.
    plan.bytes.writeInt32LE(3, 0);
    plan.bytes.writeInt32LE(13, 4);
    const failure = plan.failure();
    expect(failure?.errno).toBe(13);
    expect(failure?.step.call).toBe(planned.steps[3]?.call);
    expect(failure?.step.why).toBe(planned.steps[3]?.why);
  });

  test('a name that was never another one is not believed', () => {
    const layer = hex('the same layer');
    const alike = (seed: string, root = layer) =>
      container(seed, ({ spec }) => {
        spec.root.path = `/storage/overlay/${root}/merged`;
      });
    for (const seed of ['a', 'b', 'c']) laidOut(alike(seed));
    const at = header().names.indexOf(layer);
    expect(header().proven.map((proven: boolean, name: number) => proven || name === at)).not.toContain(
      false,
    );
    expect(header().proven[at]).toBe(false);
    laidOut(alike('d', hex('another layer')));
    expect(header().proven[at]).toBe(true);
  });

  test('where replacing names gives something else, nothing is ever replaced', () => {
    for (const seed of ['a', 'b']) laidOut(container(seed));
    const kept = keptFile() as NonNullable<ReturnType<typeof keptFile>>;
    const text = JSON.stringify({ ...header(), places: header().places.slice(1) });
    writeKept(join(directory, files()[0] as string), { ...kept, text });
    for (const seed of ['c', 'd', 'e']) laidOut(container(seed));
    expect(header().proven).not.toContain(true);
    // Not even where it would be right the next time.
    const now = keptFile() as NonNullable<ReturnType<typeof keptFile>>;
    const mended = JSON.stringify({ ...header(), places: JSON.parse(kept.text).places });
    writeKept(join(directory, files()[0] as string), { ...now, text: mended });
    for (const seed of ['f', 'g']) laidOut(container(seed));
    expect(header().proven).not.toContain(true);
  });

  const differences: [string, (input: PlanInput) => unknown][] = [
    ['another program', ({ spec }) => spec.process.args.push('more')],
    ['another user', ({ spec }) => Object.assign(spec.process, { user: { uid: 1001, gid: 1000 } })],
    ['a name of another length', (input) => Object.assign(input, { id: input.id.slice(0, 32) })],
    [
      'another filter',
      (input) => Object.assign(input, { seccomp: { filter: Buffer.alloc(8, 6), flags: 0 } }),
    ],
    ['other devices', ({ cgroup = {} }) => Object.assign(cgroup, { deviceProgram: Buffer.alloc(16, 1) })],
    ['another number for a descriptor', (input) => input.ready++],
    ['another mount', ({ spec }) => spec.mounts.push({ destination: '/more', type: 'tmpfs', source: 'x' })],
    ['a word in place of a name', ({ spec }) => Object.assign(spec, { hostname: 'elsewhere123' })],
  ];
  test.each(differences)('%s is another plan', (_what, change) => {
    const some = (input: PlanInput) => {
      input.seccomp = { filter: Buffer.alloc(8, 5), flags: 0 };
      input.cgroup = { path: input.cgroup?.path ?? '', writes: [], deviceProgram: Buffer.alloc(16, 2) };
      input.spec.process.user = { uid: 1000, gid: 1000 };
    };
    for (const seed of ['a', 'b', 'c', 'd']) laidOut(container(seed, some));
    laidOut(
      container('e', (input) => {
        some(input);
        change(input);
      }),
    );
    expect(files()).toHaveLength(2);
  });

  test('numbers are never taken for names', () => {
    const limited = (seed: string, hard: number) =>
      container(seed, ({ spec }) => {
        spec.process.rlimits = [{ type: 'RLIMIT_AS', hard, soft: 1024 }];
      });
    for (const [seed, hard] of [
      ['a', 137438953472],
      ['b', 137438953472],
      ['c', 137438953472],
      ['d', 274877906944],
    ] as const)
      laidOut(limited(seed, hard));
  });

  test('of another build is not used, and none is kept without one', () => {
    for (const seed of ['a', 'b', 'c', 'd']) laidOut(container(seed));
    laidOut(container('e'), hex('two'));
    expect(files()).toHaveLength(2);
    rmSync(directory, { recursive: true });
    layOutAgain(container('f'), BASE, undefined);
    expect(() => files()).toThrow('ENOENT');
  });

  test('a damaged file, and a directory that nobody can write to, are as good as none', () => {
    for (const seed of ['a', 'b', 'c']) laidOut(container(seed));
    const file = join(directory, files()[0] as string);
    const kept = keptFile() as NonNullable<ReturnType<typeof keptFile>>;
    writeKept(file, { ...kept, text: '{"key":' });
    laidOut(container('d'));
    vi.stubEnv('TSBOX_ROOT', '/dev/null');
    laidOut(container('e'));
  });
});
