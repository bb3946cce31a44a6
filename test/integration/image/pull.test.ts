import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { randomBytes, randomInt } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findImage, listImages } from '../../../src/image/index.ts';
import { type PullEvent, pullImage } from '../../../src/image/pull/index.ts';
import { type LayerSource, writeLayout } from '../../fixtures/oci-layout.ts';
import { archive, file } from '../../fixtures/tar.ts';
import { type Registry, registryMissing, startRegistry } from '../support/registry.ts';
import { cli } from '../support/tsbox.ts';
import { filesOf, isRoot, useStore } from './support/store.ts';

const skipped = isRoot ? (registryMissing ?? '') : 'needs root';

describe.skipIf(skipped !== '')(`pulls${skipped && ` (skipped: ${skipped})`}`, () => {
  const store = useStore();
  let directory: string;
  let registry: Registry;
  let proxy: Awaited<ReturnType<typeof countingProxy>>;
  // Random, so that nothing is smaller than it seems.
  const layerOf = (name: string, bytes = 60_000) =>
    archive(file(`${name}/content`, randomBytes(bytes)), file(`${name}/name`, name, { mode: 0o640 }));
  const five = ['a', 'b', 'c', 'd', 'e'].map((name) => layerOf(name));
  const environment = () => ({ ...process.env, TSBOX_ROOT: store.root });

  const push = (name: string, layers: readonly LayerSource[], format: 'oci' | 'v2s2' = 'oci') => {
    const path = mkdtempSync(join(directory, 'layout-'));
    const layout = writeLayout(path, { layers });
    const to = `docker://${registry.host}/${name}`;
    const flags = [
      ...(format === 'v2s2' ? ['--format', format] : ['--preserve-digests']),
      '--dest-tls-verify=false',
    ];
    execFileSync('skopeo', ['copy', '-q', ...flags, `oci:${path}:latest`, to], { stdio: 'pipe' });
    return layout;
  };
  const nameOf = (name: string) => `${proxy.host}/${name}`;
  const content = (image: { layers: string[] }) =>
    image.layers.map((layer) =>
      readdirSync(layer).map((name) => readFileSync(join(layer, name, 'name'), 'utf8')),
    );

  beforeAll(async () => {
    directory = mkdtempSync(join(tmpdir(), 'tsbox-pull-'));
    registry = await startRegistry();
    proxy = await countingProxy(registry.host);
    push(
      'five:1',
      five.map((tar) => ({ tar })),
    );
  });
  afterAll(async () => {
    proxy?.close();
    await registry?.stop();
    if (directory) rmSync(directory, { recursive: true, force: true });
  });

  it('gets each layer once, and nothing that the store has', async () => {
    const events: PullEvent[] = [];
    const image = await pullImage(nameOf('five:1'), { onProgress: (event) => events.push(event) });
    expect(content(image)).toEqual([['a'], ['b'], ['c'], ['d'], ['e']]);
    expect(image.size).toBe(5 * (60_000 + 1));
    expect(events.filter((event) => event.kind === 'layer' && event.state === 'done')).toHaveLength(5);
    // Two of the five, one of them twice, and a new one.
    const [a, b] = five as [Buffer, Buffer];
    push('shared:1', [{ tar: a }, { tar: b }, { tar: layerOf('new') }, { tar: a }]);
    proxy.forget();
    const shared = await pullImage(nameOf('shared:1'));
    expect(content(shared)).toEqual([['a'], ['b'], ['new'], ['a']]);
    expect(shared.size).toBe(3 * 60_001 + 2);
    // The manifest by name and by digest, the configuration and one layer.
    expect(proxy.requests().map((line) => line.replace(/sha256:.*/, 'DIGEST'))).toEqual([
      'HEAD /v2/shared/manifests/1',
      'GET /v2/shared/manifests/DIGEST',
      'GET /v2/shared/blobs/DIGEST',
      'GET /v2/shared/blobs/DIGEST',
    ]);
  });

  it('costs one request where nothing is new, and none for a digest that is here', async () => {
    const first = await pullImage(nameOf('five:1'));
    proxy.forget();
    expect(await pullImage(nameOf('five:1'))).toMatchObject({ isNew: false, id: first.id });
    expect(proxy.requests()).toEqual(['HEAD /v2/five/manifests/1']);
    const { status, stdout } = await tsbox('pull', nameOf('five:1'));
    expect([status, stdout]).toEqual([
      0,
      `1: Pulling from five\nDigest: ${first.pulledDigest}\nStatus: Image is up to date for ${nameOf('five:1')}\n${nameOf('five:1')}\n`,
    ]);
    proxy.forget();
    const byDigest = `${nameOf('five')}@${first.pulledDigest}`;
    expect(findImage(byDigest).id).toBe(first.id);
  });

  it('notices that a name has gone to another image', async () => {
    push('moving:1', [{ tar: layerOf('old') }]);
    const before = await pullImage(nameOf('moving:1'));
    push('moving:1', [{ tar: layerOf('young') }]);
    const after = await pullImage(nameOf('moving:1'));
    expect(content(after)).toEqual([['young']]);
    expect(after).toMatchObject({ isNew: true });
    expect(listImages().map(({ name, id }) => [name, id])).toEqual([
      ['', before.id],
      [nameOf('moving:1'), after.id],
    ]);
  });

  it('takes layers in gzip, in zstd and in nothing, of both kinds of manifests', async () => {
    const [a, b, c] = five as [Buffer, Buffer, Buffer];
    const layers: LayerSource[] = [
      { tar: a, compression: 'gzip' },
      { tar: b, compression: 'zstd' },
      { tar: c, compression: 'none' },
    ];
    const { descriptor } = push('mixed:1', layers);
    expect(await pullImage(nameOf('mixed:1'))).toMatchObject({ digest: descriptor.digest });
    expect(content(findImage(nameOf('mixed:1')))).toEqual([['a'], ['b'], ['c']]);
    push('docker:1', [{ tar: a }], 'v2s2');
    const docker = await pullImage(nameOf('docker:1'));
    expect(content(docker)).toEqual([['a']]);
    const index = JSON.parse(readFileSync(join(store.root, 'images/index.json'), 'utf8'));
    expect(index.manifests[1]).toMatchObject({
      mediaType: 'application/vnd.docker.distribution.manifest.v2+json',
      digest: docker.pulledDigest,
    });
  });

  it('is done by one of three that begin at once; the others wait, say so, and find it', async () => {
    push(
      'large:1',
      ['f', 'g', 'h'].map((name) => ({ tar: layerOf(name, 3_000_000) })),
    );
    proxy.forget();
    proxy.slowDown(40);
    const results = await Promise.all([0, 1, 2].map(() => runPull('large:1')));
    proxy.slowDown(0);
    expect(results.map(({ status }) => status)).toEqual([0, 0, 0]);
    const said = results.filter(({ stderr }) => stderr.includes('waiting for another tsbox that pulls'));
    expect(said).toHaveLength(2);
    const blobs = proxy.requests().filter((line) => line.includes('/blobs/'));
    expect(blobs).toHaveLength(4);
    expect(new Set(blobs).size).toBe(4);
    expect(unfinished()).toEqual([]);
  });

  it('leaves nothing after a kill -9 at a hundred random moments, and the same pull is then right', async () => {
    const clean = mkdtempSync(join(store.directory, 'clean-'));
    const whole = await timed(() => runPull('five:1', { TSBOX_ROOT: clean }));
    const expected = filesOf(clean);
    for (let round = 0; round < 100; round++) {
      const child = spawn(cli, ['pull', '-q', nameOf('five:1')], { env: environment(), stdio: 'ignore' });
      await sleep(randomInt(Math.ceil(whole)));
      child.kill('SIGKILL');
      if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
      // Every tenth time the pull is carried through, from whatever was left, and begun anew with an empty store.
      if (round % 10 !== 9) continue;
      const { status, stderr } = await runPull('five:1');
      expect([status, stderr]).toEqual([0, '']);
      expect(content(findImage(nameOf('five:1')))).toEqual([['a'], ['b'], ['c'], ['d'], ['e']]);
      expect(filesOf(store.root)).toEqual(expected);
      for (const part of readdirSync(store.root)) rmSync(join(store.root, part), { recursive: true });
    }
  }, 240_000);

  it('uses the blobs that a killed pull had got whole', async () => {
    proxy.stopAfter(3);
    const child = spawn(cli, ['pull', '-q', '--max-concurrent-downloads', '1', nameOf('five:1')], {
      env: environment(),
      stdio: 'ignore',
    });
    while (proxy.stuck() === 0) await sleep(10);
    child.kill('SIGKILL');
    await once(child, 'exit');
    proxy.stopAfter(Number.POSITIVE_INFINITY);
    proxy.forget();
    expect(content(await pullImage(nameOf('five:1')))).toEqual([['a'], ['b'], ['c'], ['d'], ['e']]);
    // The configuration and two layers came before the connection stood still.
    expect(proxy.requests().filter((line) => line.includes('/blobs/')).length).toBe(1 + 3);
    expect(unfinished()).toEqual([]);
  });

  it('says that the disk is full, and leaves the store as it was', () => {
    push('big:1', [{ tar: layerOf('big', 8_000_000) }, { tar: layerOf('big2', 8_000_000) }]);
    const script = `
      set -eu
      mkdir "$TSBOX_ROOT/disk"
      mount -t tmpfs -o size=20m none "$TSBOX_ROOT/disk"
      export TSBOX_ROOT="$TSBOX_ROOT/disk"
      "$0" pull -q "$1/five:1" > /dev/null
      find "$TSBOX_ROOT" | sort > "$TSBOX_ROOT/../before"
      "$0" pull -q "$1/big:1" || echo "status $?"
      find "$TSBOX_ROOT" | sort | diff "$TSBOX_ROOT/../before" - && echo same`;
    const { stdout, stderr } = spawnSync('unshare', ['-m', 'sh', '-c', script, cli, registry.host], {
      env: environment(),
      encoding: 'utf8',
    });
    expect(stderr).toContain(`cannot pull \`${registry.host}/big:1\` into`);
    expect(stderr).toContain('no space is left on its disk');
    expect(stdout).toBe('status 125\nsame\n');
  });

  it('ends where its signal says so, and leaves nothing', async () => {
    const stop = new AbortController();
    const onProgress = (event: PullEvent) => {
      if (event.kind === 'layer' && event.state === 'downloading') stop.abort(new Error('enough'));
    };
    await expect(pullImage(nameOf('five:1'), { signal: stop.signal, onProgress })).rejects.toThrow('enough');
    expect(unfinished()).toEqual([]);
    expect(listImages()).toEqual([]);
  });

  describe('before a run', () => {
    it('--pull never says that it is not here, and asks nobody', async () => {
      proxy.forget();
      const { status, stderr } = await tsbox('run', '--rm', '--pull', 'never', nameOf('five:1'), 'true');
      expect([status, stderr]).toEqual([125, expect.stringContaining('there is no image')]);
      // Who asks begins with the manifest. A blob may still be asked for by the pull that was given up before.
      expect(proxy.requests().filter((request) => request.includes('/manifests/'))).toEqual([]);
    });

    it('a missing image is pulled, said on standard error; --pull always then costs one request', async () => {
      const first = await tsbox('run', '--rm', nameOf('five:1'), '/nothing');
      expect(first.stdout).toBe('');
      expect(first.stderr).toContain(`Unable to find image '${nameOf('five:1')}' locally\n`);
      expect(first.stderr).toContain(`Status: Downloaded newer image for ${nameOf('five:1')}\n`);
      expect(first.status).toBe(127);
      proxy.forget();
      expect((await tsbox('run', '--rm', nameOf('five:1'), '/nothing')).stderr).not.toContain('five:1\n');
      expect(proxy.requests()).toEqual([]);
      expect((await tsbox('run', '--rm', '--pull=always', '-q', nameOf('five:1'), '/nothing')).status).toBe(
        127,
      );
      expect(proxy.requests()).toEqual(['HEAD /v2/five/manifests/1']);
    });

    it('--pull always fails where the registry is not there, though the image is', async () => {
      const other = await countingProxy(registry.host);
      await pullImage(`${other.host}/five:1`);
      other.close();
      const { status, stderr } = await tsbox(
        'run',
        '--rm',
        '--pull=always',
        `${other.host}/five:1`,
        '/nothing',
      );
      expect([status, stderr]).toEqual([125, expect.stringContaining('cannot reach')]);
    });
  });

  const unfinished = () =>
    ['images', 'layers']
      .flatMap((part) => readdirSync(join(store.root, part)))
      .filter((name) => name.startsWith('.'));

  const runPull = (name: string, env: NodeJS.ProcessEnv = {}) => command(['pull', nameOf(name)], env);
  const tsbox = (...args: string[]) => command(args);

  // Not spawnSync: the proxy is in this process.
  async function command(args: readonly string[], env: NodeJS.ProcessEnv = {}) {
    const child = spawn(cli, args, { env: { ...environment(), ...env } });
    const said = { stdout: '', stderr: '' };
    for (const name of ['stdout', 'stderr'] as const) {
      child[name].setEncoding('utf8').on('data', (text) => {
        said[name] += text;
      });
    }
    const [status] = await once(child, 'close');
    return { status, ...said };
  }
});

async function timed(work: () => Promise<unknown>): Promise<number> {
  const began = performance.now();
  await work();
  return performance.now() - began;
}

/** Passes everything on to the registry and notes what was asked; it can be slow, or stand still after so many blobs. */
async function countingProxy(to: string) {
  const seen: string[] = [];
  let delay = 0;
  let most = Number.POSITIVE_INFINITY;
  let [blobs, stuck] = [0, 0];
  const server = http.createServer(async (request, response) => {
    // The question which version it speaks is no part of a pull.
    if (request.url !== '/v2/') seen.push(`${request.method} ${request.url}`);
    if (request.url?.includes('/blobs/') && ++blobs > most) {
      stuck++;
      return;
    }
    if (delay > 0) await sleep(delay * 10);
    const headers = { ...request.headers, host: to };
    http
      .request(`http://${to}${request.url}`, { method: request.method ?? 'GET', headers }, (answer) => {
        response.writeHead(answer.statusCode ?? 500, answer.headers);
        answer.pipe(response);
      })
      .on('error', () => response.destroy())
      .end();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    host: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests: () => [...seen],
    forget: () => {
      seen.length = 0;
    },
    slowDown: (milliseconds: number) => {
      delay = milliseconds;
    },
    stopAfter: (count: number) => {
      [most, blobs, stuck] = [count, 0, 0];
    },
    stuck: () => stuck,
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}
