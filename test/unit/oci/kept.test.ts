import { createHash } from 'node:crypto';
import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { layOut } from '../../../src/launch/index.ts';
import { type Creation, noteCreation, recallCreation } from '../../../src/oci/kept.ts';
import { likenessOf } from '../../../src/oci/likeness.ts';
import { PLAN_BASE, type Wanted } from '../../../src/oci/making.ts';
import { type PlanInput, planContainer } from '../../../src/runtime/index.ts';
import { readKept, writeKept } from '../../../src/runtime/kept-file.ts';
import { sampleInput, sampleSpec } from '../runtime/sample.ts';

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

/** As an engine asks for one: names that it makes up, in several places. */
function container(seed: string, change: (input: PlanInput) => void = () => {}, host = 'this one') {
  const id = hex(seed);
  const spec = sampleSpec();
  spec.hostname = id.slice(0, 12);
  spec.root.path = `/storage/overlay/${hex(`layer of ${seed}`)}/merged`;
  spec.process.env = [...spec.process.env, `HOSTNAME=${id.slice(0, 12)}`];
  const input = sampleInput((input) => {
    input.id = id;
    input.overlay = undefined;
    input.cgroup = { path: `/sys/fs/cgroup/engine/libpod-${id}`, writes: [] };
    input.seccomp = undefined;
    change(input);
  }, spec);
  const plan = planContainer(input);
  const arena = layOut(plan, { base: PLAN_BASE });
  const config = JSON.stringify({ spec, cgroup: input.cgroup?.path, ready: input.ready });
  const creation: Creation = {
    made: JSON.stringify({ rootfs: spec.root.path, annotations: spec.annotations ?? {} }),
    host,
    plan: Buffer.from(arena.bytes),
    json: config,
    slot: arena.slotIndex(plan.pid),
    outcomeLength: arena.outcomeLength,
  };
  const wanted: Wanted = {
    id,
    bundle: `/run/engine/${id}`,
    terminal: false,
    noPivot: false,
    keepKeyring: false,
    preserve: 0,
    listenFds: 0,
    systemd: false,
  };
  return { creation, wanted, config: Buffer.from(config) };
}

type Container = ReturnType<typeof container>;

/** Makes it as `create` does, and says whether it was recalled. What is recalled must always be what it would be made with. */
function make({ creation, wanted, config }: Container, build = 'one'): boolean {
  const likeness = likenessOf(config, wanted, build);
  if (likeness === undefined) throw new Error('has no likeness');
  const recalled = recallCreation(likeness);
  if (recalled === undefined) noteCreation(likeness, creation);
  else expect(recalled).toEqual(creation);
  return recalled !== undefined;
}

const makeAll = (seeds: string, change?: (input: PlanInput) => void) =>
  [...seeds].map((seed) => make(container(seed, change)));

const files = () => readdirSync(directory);
const kept = () =>
  readKept(join(directory, files()[0] as string)) as NonNullable<ReturnType<typeof readKept>>;
const header = () => JSON.parse(kept().text.split('\n')[0] as string);
const rewrite = (change: object) => {
  const { text, ...rest } = kept();
  const after = text.slice(text.indexOf('\n'));
  const file = join(directory, files()[0] as string);
  writeKept(file, { ...rest, text: `${JSON.stringify({ ...header(), ...change })}${after}` });
};

describe('a container like others', () => {
  test('is noted, kept, compared and then believed', () => {
    expect(make(container('a'))).toBe(false);
    expect(files()).toHaveLength(1);
    expect(statSync(join(directory, files()[0] as string)).size).toBe(0);
    expect(make(container('b'))).toBe(false);
    expect(header().names).toContain(hex('b'));
    expect(header().proven).not.toContain(true);
    expect(make(container('c'))).toBe(false);
    expect(header().proven).not.toContain(false);
    const { mtimeMs } = statSync(join(directory, files()[0] as string));
    expect(makeAll('def')).toEqual([true, true, true]);
    expect(statSync(join(directory, files()[0] as string)).mtimeMs).toBe(mtimeMs);
  });

  test('may have UUIDs for names', () => {
    const uuid = (seed: string) => hex(seed).replace(/^(.{8})(.{4})(.{4})(.{4})(.{12}).*$/, '$1-$2-$3-$4-$5');
    const made = ['a', 'b', 'c', 'd'].map((seed) =>
      make(
        container(seed, ({ spec }) => {
          const path = `/run/netns/cni-${uuid(seed)}`;
          spec.linux.namespaces = spec.linux.namespaces.map((one) =>
            one.type === 'network' ? { ...one, path } : one,
          );
        }),
      ),
    );
    expect(made).toEqual([false, false, false, true]);
  });

  test('may have been made at another time, which may be shorter', () => {
    const at = (seed: string, time: string, variable?: string) =>
      make(
        container(seed, ({ spec }) => {
          spec.annotations = { created: time };
          if (variable) spec.process.env.push(`${variable}=${time}`);
        }),
      );
    const times = ['01.123456789Z', '02.123456Z', '03Z', '04.1Z'].map((time) => `2026-11-24T00:00:${time}`);
    expect(times.map((time, index) => at('abcd'[index] as string, time))).toEqual([
      false,
      false,
      false,
      true,
    ]);
    // In the plan there is no room for another one.
    expect(times.map((time, index) => at('abcd'[index] as string, time, 'ONE'))).not.toContain(true);
    const alike = ['1', '2', '3', '4'].map((digit) => `2026-11-24T00:00:0${digit}Z`);
    expect(alike.map((time, index) => at('efgh'[index] as string, time, 'TWO')).at(-1)).toBe(true);
  });

  test('a name that was never another one is not believed', () => {
    const alike = (seed: string, root: string) =>
      make(
        container(seed, ({ spec }) => {
          spec.root.path = `/storage/overlay/${root}/merged`;
        }),
      );
    const layer = hex('the same layer');
    expect(['a', 'b', 'c', 'd'].map((seed) => alike(seed, layer))).toEqual([false, false, false, true]);
    const at = header().names.indexOf(layer);
    expect(header().proven[at]).toBe(false);
    expect(alike('e', hex('another layer'))).toBe(false);
    expect(header().proven[at]).toBe(true);
    expect(alike('f', hex('a third layer'))).toBe(true);
  });

  test('where replacing names gives something else, nothing is ever replaced', () => {
    makeAll('ab');
    const { places } = header();
    rewrite({ places: places.slice(1) });
    expect(makeAll('cde')).toEqual([false, false, false]);
    expect(header().proven).not.toContain(true);
    // Not even where it would be right the next time.
    rewrite({ places });
    expect(makeAll('fg')).toEqual([false, false]);
    expect(header().proven).not.toContain(true);
  });

  test('what the host says is compared by who asks it, and begins anew where it is something else', () => {
    makeAll('abc');
    const { creation, wanted, config } = container('d', undefined, 'another one');
    const likeness = likenessOf(config, wanted, 'one');
    if (likeness === undefined) throw new Error('has no likeness');
    expect(recallCreation(likeness)?.host).toBe('this one');
    noteCreation(likeness, creation);
    expect(header()).toMatchObject({ host: 'another one', proven: header().names.map(() => false) });
    expect(header().wrong).toBeUndefined();
  });

  const differences: [string, (input: PlanInput) => unknown][] = [
    ['another program', ({ spec }) => spec.process.args.push('more')],
    ['another user', ({ spec }) => Object.assign(spec.process, { user: { uid: 1001, gid: 1000 } })],
    ['a name of another length', ({ spec }) => Object.assign(spec, { hostname: hex('h').slice(0, 32) })],
    ['a name in two places that are not equal', ({ spec }) => spec.process.env.push(`OF=${hex('x')}`)],
    ['another mount', ({ spec }) => spec.mounts.push({ destination: '/more', type: 'tmpfs', source: 'x' })],
    ['a word in place of a name', ({ spec }) => Object.assign(spec, { hostname: 'elsewhere123' })],
  ];
  test.each(differences)('%s is another kind', (_what, change) => {
    const some = ({ spec, id }: PlanInput) => {
      spec.process.env.push(`OF=${id}`);
    };
    makeAll('abcd', some);
    const other = container('e', (input) => {
      if (change !== differences[3]?.[1]) some(input);
      change(input);
    });
    expect(make(other)).toBe(false);
    expect(files()).toHaveLength(2);
  });

  test.each([
    ['digits', '137438953472', '274877906944'],
    ['with an exponent', '137438953472e5', '274877906944e5'],
  ])('numbers are never taken for names, %s', (_, one, other) => {
    const { creation, wanted } = container('a');
    const limited = (hard: string) => Buffer.from(`{"hard":${hard}}`);
    for (let time = 0; time < 4; time++) make({ creation, wanted, config: limited(one) });
    expect(make({ creation, wanted, config: limited(other) })).toBe(false);
    expect(files()).toHaveLength(2);
  });

  test('of another build, or asked for otherwise, is another kind', () => {
    makeAll('abcd');
    expect(make(container('e'), 'two')).toBe(false);
    const { wanted, ...rest } = container('f');
    for (const change of [{ terminal: true }, { noPivot: true }, { preserve: 1 }, { listenFds: 1 }])
      expect(make({ ...rest, wanted: { ...wanted, ...change } })).toBe(false);
    expect(files()).toHaveLength(6);
  });

  test('is like no other without a build, with TSBOX_KEEP_PLANS=0, or in a scope of systemd’s', () => {
    const { wanted, config } = container('a');
    expect(likenessOf(config, wanted)).toBeUndefined();
    expect(likenessOf(config, { ...wanted, systemd: true }, 'one')).toBeUndefined();
    const build = Symbol.for('tsbox.build');
    Object.assign(globalThis, { [build]: 'one' });
    try {
      expect(likenessOf(config, wanted)).toBeDefined();
      vi.stubEnv('TSBOX_KEEP_PLANS', '0');
      expect(likenessOf(config, wanted)).toBeUndefined();
    } finally {
      Reflect.deleteProperty(globalThis, build);
    }
  });

  test('a damaged file, and a directory that nobody can write to, are as good as none', () => {
    makeAll('abc');
    const { text, ...rest } = kept();
    writeKept(join(directory, files()[0] as string), { ...rest, text: text.replace('"names"', 'names') });
    expect(make(container('d'))).toBe(false);
    vi.stubEnv('TSBOX_ROOT', '/dev/null');
    expect(make(container('e'))).toBe(false);
  });
});
