import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { makePlace, type Place } from '../../fixtures/leftovers.ts';
import { sha256 } from '../../fixtures/oci-layout.ts';
import { archive, file } from '../../fixtures/tar.ts';
import { type Outcome, tsbox } from '../../fixtures/tsbox.ts';
import { named, OCI, RawStore } from './support/layout.ts';
import { filesOf, isRoot, needsRoot } from './support/store.ts';

/** JSON that is anybody's, in every place where there is some: one clear line, and nothing outside the store. */
describe.skipIf(!isRoot)(`a store with JSON that means harm${needsRoot}`, () => {
  let place: Place;
  let raw: RawStore;
  beforeEach(() => {
    place = makePlace();
    // The store is a level below, to see what climbs out of it.
    place.environment.TSBOX_ROOT = join(place.root, 'a', 'store');
    raw = new RawStore(place.environment.TSBOX_ROOT);
    return () => place.remove();
  });
  const one = archive(file('a', 'one'));
  const layer = () => ({ mediaType: `${OCI}.layer.v1.tar`, ...raw.blob(one) });
  const config = (value: unknown) => raw.blob(value as object);
  const image = (value: object) =>
    raw.manifest({ config: config({ rootfs: { diff_ids: [sha256(one)] }, ...value }), layers: [layer()] });
  const text = (value: string) => raw.blob(Buffer.from(value));
  const deep = '['.repeat(200_000) + ']'.repeat(200_000);

  const indexes: [string, () => string | Buffer][] = [
    ['nothing', () => ''],
    ['NULs', () => Buffer.alloc(4096)],
    ['a list', () => '[]'],
    ['null', () => 'null'],
    ['HTML', () => '<html>'],
    ['manifests that are an object', () => '{"manifests":{}}'],
    ['manifests that are missing', () => '{"schemaVersion":2}'],
    ['too much', () => Buffer.alloc(70 * 2 ** 20, ' ')],
    ['what is nested too deep', () => deep],
  ];
  it.each(indexes)('says so where index.json is %s', (_, make) => {
    raw.raw(make());
    for (const args of [['images'], ['run', 'web']]) {
      const outcome = tsbox(place, args);
      expect(oneLine(outcome)).toContain('index.json` in the image store is damaged');
      expect(outcome.status).toBe(125);
    }
  });

  const lines: [string, unknown][] = [
    ['null', null],
    ['a number', 5],
    ['a digest that climbs', { mediaType: 'x', digest: 'sha256:../../../../../../etc/passwd', size: 1 }],
    ['a digest that is a list', { mediaType: 'x', digest: ['sha256'], size: 1 }],
    ['annotations that are text', { mediaType: 'x', digest: sha256('x'), size: 1, annotations: 'x' }],
    [
      'a name that is an object',
      { mediaType: 'x', digest: sha256('x'), annotations: { 'org.opencontainers.image.ref.name': {} } },
    ],
    [
      'a blob that is not there',
      { mediaType: 'x', digest: sha256('x'), annotations: { 'org.opencontainers.image.ref.name': 'gone' } },
    ],
  ];
  it.each(lines)('leaves out a line that is %s', (_, line) => {
    raw.index(line, named(image({}), 'good'));
    const { status, stdout, stderr } = tsbox(place, ['images', '--format', '{{.Repository}}']);
    expect({ status, stdout, stderr }).toEqual({ status: 0, stdout: 'good\n', stderr: '' });
    expect(tsbox(place, ['tag', 'good', 'better']).status).toBe(0);
    expect(tsbox(place, ['rmi', 'good', 'better']).status).toBe(0);
    expect(raw.read().manifests).toEqual([line]);
  });

  const manifests: [string, () => object][] = [
    ['a manifest that is a list', () => ({ mediaType: 'x', ...text('[1]') })],
    ['a manifest that is text', () => ({ mediaType: 'x', ...text('"x"') })],
    ['a manifest of 5 MB', () => ({ mediaType: 'x', ...text(' '.repeat(5_000_000)) })],
    ['a manifest that is nested deep', () => ({ mediaType: 'x', ...text(`{"layers":${deep}}`) })],
    ['layers that are an object', () => raw.manifest({ config: config({}), layers: {} })],
    [
      'a layer that climbs',
      () =>
        raw.manifest({
          config: config({ rootfs: { diff_ids: [sha256(one)] } }),
          layers: [{ digest: 'sha256:../../../../canary' }],
        }),
    ],
    [
      'a layer that is null',
      () => raw.manifest({ config: config({ rootfs: { diff_ids: [sha256(one)] } }), layers: [null] }),
    ],
    [
      'a configuration that climbs',
      () => raw.manifest({ config: { digest: '../../../canary' }, layers: [layer()] }),
    ],
    ['a configuration that is a list', () => raw.manifest({ config: config([]), layers: [layer()] })],
    ['a configuration of text', () => raw.manifest({ config: text('no json'), layers: [layer()] })],
    ['a diff ID that climbs', () => image({ rootfs: { diff_ids: ['sha256:../../../../canary'] } })],
    ['diff IDs that are text', () => image({ rootfs: { diff_ids: 'sha256' } })],
    ['a config that is a list', () => image({ config: ['Cmd'] })],
    ['a Cmd that is text', () => image({ config: { Cmd: 'sh' } })],
    ['an Env of numbers', () => image({ config: { Env: [1] } })],
    ['labels that are nested', () => image({ config: { Labels: { a: { b: 'c' } } } })],
    ['volumes that are a list', () => image({ config: { Volumes: ['/data'] } })],
    ['a health check of text', () => image({ config: { Healthcheck: 'CMD' } })],
    [
      'an index that lists itself',
      () => {
        const digest = sha256('itself');
        raw.blob({ manifests: [{ mediaType: `${OCI}.index.v1+json`, digest }] }, digest);
        return { mediaType: `${OCI}.index.v1+json`, digest, size: 1 };
      },
    ],
  ];
  it.each(manifests)('refuses %s, and can remove it', (_, make) => {
    mkdirSync(join(place.root, 'a', 'canary'));
    writeFileSync(join(place.root, 'canary'), 'canary');
    const good = image({});
    raw.index(named(make(), 'evil'), named(good, 'good'));
    const before = filesOf(place.root).filter((path) => path.includes('canary'));
    const evil = tsbox(place, ['run', '--pull', 'never', 'evil']);
    expect(evil.status).toBe(125);
    oneLine(evil);
    const inspected = tsbox(place, ['image', 'inspect', 'evil']);
    // 1 where nothing can be told from what is there but that it is no image.
    expect([1, 125]).toContain(inspected.status);
    expect(inspected.stdout).toBe('[]\n');
    oneLine(inspected);
    const { status, stdout, stderr } = tsbox(place, ['images', '-q', '--no-trunc']);
    expect([status, stdout.split('\n').length]).toEqual([0, 2]);
    expect(stderr.split('\n').length).toBeLessThanOrEqual(2);
    expect(tsbox(place, ['image', 'prune', '-f']).status).toBe(0);
    const removed = tsbox(place, ['rmi', 'evil']);
    expect([removed.status, removed.stdout.split('\n')[0]]).toEqual([0, 'Untagged: evil:latest']);
    expect(filesOf(place.root).filter((path) => path.includes('canary'))).toEqual(before);
  });

  it('shows nothing of an image that a terminal would obey', () => {
    const sequence = '\x1b]0;evil\x07\u202e';
    const line = image({
      created: sequence,
      author: sequence,
      config: { Labels: { [sequence]: sequence, ['__proto__']: 'x' }, Env: [`A=${sequence}`] },
      history: [{ created_by: sequence, comment: sequence, created: 5 }, null, 'x'],
    });
    raw.index(named(line, `evil${sequence}`));
    const id = tsbox(place, ['images', '-q']).stdout.trim();
    const outputs = [
      ['images'],
      ['history', '--no-trunc', id],
      ['image', 'inspect', id],
      ['image', 'inspect', '-f', '{{.Config.Labels}} {{json .}}', id],
      ['image', 'inspect', '-f', '{{range $k, $v := .Config.Labels}}{{println $k $v}}{{end}}', id],
      ['system', 'df', '-v'],
      ['run', id],
      ['rmi', id],
    ].map((args) => tsbox(place, args));
    for (const { stdout, stderr } of outputs) expect(stdout + stderr).not.toMatch(UNSAFE);
    expect(outputs.at(-1)?.status).toBe(0);
  });
});

// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const UNSAFE = /[\x1b\x07\u202e]/;

/** The only line of the error, or the first of two where the second is advice. */
function oneLine({ stderr }: Outcome): string {
  const [first = '', ...rest] = stderr.trimEnd().split('\n');
  expect(first).toMatch(/^tsbox: /);
  expect(stderr).not.toMatch(/unexpected error|undefined|\[object|NaN/);
  expect(rest.every((line) => line.startsWith('  '))).toBe(true);
  expect(rest.length).toBeLessThanOrEqual(1);
  return first;
}
