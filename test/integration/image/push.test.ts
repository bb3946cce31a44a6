import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { loadImages } from '../../../src/image/archive/index.ts';
import { type LayerState, pushAllTags, pushImage } from '../../../src/image/push/index.ts';
import { tagImage } from '../../../src/image/store/tag.ts';
import { CuttingProxy } from '../../fixtures/cutting-proxy.ts';
import { type Layout, type LayoutSettings, sha256, writeLayout } from '../../fixtures/oci-layout.ts';
import { archive, file } from '../../fixtures/tar.ts';
import { type Registry, registryMissing, startRegistry } from '../support/registry.ts';
import { isRoot, needsRoot, useStore } from './support/store.ts';

const skipped = needsRoot || (registryMissing === undefined ? '' : ` (skipped: ${registryMissing})`);
const run = (program: string, ...args: string[]) =>
  execFileSync(program, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'], timeout: 60_000 });
const large = () => archive(file('random', randomBytes(40 << 20)));
const tar = (name: string) => archive(file(name, name.repeat(20_000)));

describe.skipIf(!isRoot || registryMissing !== undefined)(`pushing${skipped}`, () => {
  const store = useStore();
  let registry: Registry;
  let images = 0;
  /** A repository that no other test has. */
  let name = '';

  beforeAll(async () => {
    registry = await startRegistry();
  });
  afterAll(() => registry.stop());
  beforeEach(() => {
    name = `${registry.host}/test${++images}/image`;
  });

  /** Puts an image of three layers into the store, the last two the same. */
  async function load(as: string, settings: Partial<LayoutSettings> = {}): Promise<Layout> {
    const unique = `layer of ${as} ${images} `;
    const layers = [
      { tar: tar('below') },
      { tar: tar(unique), compression: 'zstd' as const },
      { tar: tar(unique), compression: 'zstd' as const },
    ];
    const layout = writeLayout(join(store.root, `layout${++images}`), { layers, name: as, ...settings });
    const path = join(store.root, 'layout.tar');
    run('tar', '-C', layout.path, '-cf', path, 'blobs', 'index.json', 'oci-layout');
    await loadImages(path);
    return layout;
  }

  /** What the registry has, as skopeo reads it; it checks every digest on the way. */
  function pulled(from: string, ...flags: string[]): Buffer {
    const copy = join(store.root, `copy${++images}`);
    run('skopeo', 'copy', '-q', '--src-tls-verify=false', ...flags, `docker://${from}`, `dir:${copy}`);
    return readFileSync(join(copy, 'manifest.json'));
  }

  /** The requests of one repository since the last call. */
  let seen = 0;
  async function requests(of: string): Promise<string[]> {
    const all = await registry.requests();
    const path = `/v2${of.slice(of.indexOf('/'))}/`;
    const fresh = all.slice(seen);
    seen = all.length;
    return fresh.filter((line) => line.includes(path));
  }

  it.each(['oci', 'docker'] as const)('sends an image with %s types, byte for byte', async (types) => {
    // skopeo knows no zstd among Docker's types.
    const layers = ['a', 'b'].map((each) => ({ tar: tar(`${each} ${types}`) }));
    const layout = await load(`${name}:1`, { types, layers });
    const states: [string, LayerState][] = [];
    const pushed = await pushImage(`${name}:1`, {
      onLayer: ({ digest }, state) => states.push([digest, state]),
    });
    const { digest, size } = layout.descriptor;
    expect(pushed).toEqual({ name: `${name}:1`, tag: '1', digest, size });
    expect(pulled(`${name}:1`).equals(layout.manifest)).toBe(true);
    const of = (wanted: string) => states.flatMap(([each, state]) => (each === wanted ? [state] : []));
    const [, layer] = layout.layers;
    expect(of(layer?.digest as string)).toEqual([
      { state: 'preparing' },
      { state: 'pushing', sent: 0 },
      { state: 'pushing', sent: layer?.size },
      { state: 'pushed' },
    ]);
  });

  it('sends nothing that is there', async () => {
    const layout = await load(`${name}:1`);
    await pushImage(`${name}:1`);
    await requests(name);
    const states: string[] = [];
    await pushImage(`${name}:1`, { onLayer: (_, { state }) => states.push(state) });
    expect(states).toEqual(['preparing', 'preparing', 'exists', 'exists']);
    expect((await requests(name)).map((line) => line.replace(/ \/\S*\//, ' ')).sort()).toEqual(
      [
        ...[...new Set([layout.config, ...layout.layers].map(({ digest }) => digest))].map(
          (digest) => `HEAD ${digest} 200`,
        ),
        'PUT 1 201',
      ].sort(),
    );
  });

  it('mounts what another repository of the registry has', async () => {
    const layout = await load(`${name}:1`);
    await pushImage(`${name}:1`);
    const second = `${registry.host}/mounted${images}/x:2`;
    tagImage(`${name}:1`, second);
    const states: LayerState[] = [];
    await pushImage(second, { onLayer: (_, state) => states.push(state) });
    const from = name.slice(registry.host.length + 1);
    expect(states.slice(2)).toEqual([
      { state: 'mounted', from },
      { state: 'mounted', from },
    ]);
    const sent = (await requests(second.replace(/:2$/, ''))).filter((line) => !line.startsWith('HEAD'));
    // Two layers and the configuration, each in one request that the registry answers with 201; and the manifest.
    const mounts = sent.filter((line) => /^POST .*[?&]mount=sha256.* 201$/.test(line));
    expect(mounts).toHaveLength(3);
    expect(sent).toHaveLength(4);
    expect(pulled(second).equals(layout.manifest)).toBe(true);
  });

  it('sends what the other repository does not have after all', async () => {
    // In the store it has that name, but it was never pushed.
    const layout = await load(`${registry.host}/never/pushed:1`);
    tagImage(`${registry.host}/never/pushed:1`, `${name}:1`);
    const states: string[] = [];
    await pushImage(`${name}:1`, { onLayer: (_, { state }) => states.push(state) });
    expect(states).toContain('pushed');
    expect(states).not.toContain('mounted');
    const posts = (await requests(name)).filter((line) => line.startsWith('POST'));
    expect(posts.every((line) => line.includes('mount=') && line.endsWith(' 202'))).toBe(true);
    expect(pulled(`${name}:1`).equals(layout.manifest)).toBe(true);
  });

  it('sends all tags', async () => {
    const [one, two] = [await load(`${name}:1`), await load(`${name}:2`)];
    const said: string[] = [];
    const pushed = await pushAllTags(name, {
      onRepository: (repository) => said.push(repository),
      onPushed: ({ tag }) => said.push(tag),
    });
    expect(said).toEqual([name, '1', '2']);
    expect(pushed.map(({ digest }) => digest)).toEqual([one.descriptor.digest, two.descriptor.digest]);
    expect(sha256(pulled(`${name}:2`))).toBe(two.descriptor.digest);
    await expect(pushAllTags(`${name}:1`)).rejects.toMatchObject({ code: 'BAD_REFERENCE' });
    await expect(pushAllTags(`${name}0`)).rejects.toMatchObject({ code: 'IMAGE_NOT_FOUND' });
  });

  describe('over connections that break', () => {
    let proxy: CuttingProxy;
    beforeEach(async () => {
      proxy = await CuttingProxy.start(registry.host);
      name = `${proxy.host}/cut${++images}/image`;
    });
    afterEach(() => proxy.stop());

    it('goes on where the registry has got to', async () => {
      const layout = await load(`${name}:1`, { layers: [{ tar: large(), compression: 'none' }] });
      const size = layout.layers[0]?.size as number;
      // The second piece of the layer: the first one has 32 MiB.
      proxy.cutBefore('PATCH ', 2);
      const retries: string[] = [];
      await pushImage(`${name}:1`, { onRetry: (why) => retries.push(why) });
      expect([proxy.cuts, retries.length]).toEqual([1, 1]);
      expect(proxy.sent).toBeGreaterThan(size);
      expect(proxy.sent).toBeLessThan(size + (1 << 20));
      // Not through the proxy, which lives in this thread.
      expect(pulled(`${name.replace(proxy.host, registry.host)}:1`).equals(layout.manifest)).toBe(true);
    });

    it('sends again what the registry has thrown away', async () => {
      // This registry forgets the upload where a piece breaks off.
      const layout = await load(`${name}:1`, { layers: [{ tar: large(), compression: 'none' }] });
      proxy.cutAt(1 << 20, 5 << 20, 39 << 20);
      const retries: string[] = [];
      await pushImage(`${name}:1`, { onRetry: (why) => retries.push(why) });
      expect([proxy.cuts, retries.length]).toEqual([3, 3]);
      expect(pulled(`${name.replace(proxy.host, registry.host)}:1`).equals(layout.manifest)).toBe(true);
    });
  });

  it('asks nothing of the registry where the store is damaged', async () => {
    const layout = await load(`${name}:1`);
    const { digest } = layout.layers[1] as { digest: string };
    writeFileSync(join(store.root, 'images/blobs/sha256', digest.slice(7)), 'short');
    await requests(name);
    await expect(pushImage(`${name}:1`)).rejects.toMatchObject({
      code: 'STORE_CORRUPT',
      message: expect.stringContaining(digest),
    });
    expect(await requests(name)).toEqual([]);
  });

  it('sends no manifest where a blob is damaged', async () => {
    const layout = await load(`${name}:1`);
    const { digest } = layout.layers[1] as { digest: string };
    const path = join(store.root, 'images/blobs/sha256', digest.slice(7));
    writeFileSync(path, Buffer.alloc(readFileSync(path).length));
    await expect(pushImage(`${name}:1`)).rejects.toMatchObject({ exitCode: 125 });
    expect((await requests(name)).filter((line) => line.includes('/manifests/'))).toEqual([]);
  });

  it('needs a name that is in the store', async () => {
    await expect(pushImage(`${name}:9`)).rejects.toMatchObject({ code: 'IMAGE_NOT_FOUND' });
    const layout = await load(`${name}:1`);
    await expect(pushImage(`${name}@${layout.descriptor.digest}`)).rejects.toMatchObject({
      code: 'BAD_REFERENCE',
    });
  });

  it('ends at once where it is told to', async () => {
    await load(`${name}:1`, { layers: [{ tar: large(), compression: 'none' }] });
    const reason = new Error('enough');
    const controller = new AbortController();
    const pushing = pushImage(`${name}:1`, {
      signal: controller.signal,
      onLayer: (_, { state }) => state === 'pushing' && controller.abort(reason),
    });
    await expect(pushing).rejects.toBe(reason);
  });

  it('logs in', async () => {
    const auth = { user: 'somebody', password: 'secret' };
    const guarded = await startRegistry({ auth });
    try {
      const guardedName = `${guarded.host}/guarded/image:1`;
      const layout = await load(guardedName);
      const refused = await pushImage(guardedName).catch((error) => error);
      expect(refused).toMatchObject({ code: 'REGISTRY_DENIED', exitCode: 125 });
      const credentials = { username: auth.user, password: auth.password };
      await pushImage(guardedName, { credentials });
      const copy = pulled(guardedName, '--src-creds', `${auth.user}:${auth.password}`);
      expect(copy.equals(layout.manifest)).toBe(true);
    } finally {
      await guarded.stop();
    }
  });
});
