import { execFile, execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseReference } from '../../../src/image/reference.ts';
import { openRepository, type RegistryOptions } from '../../../src/image/registry/index.ts';
import { SETTINGS, type Settings } from '../../../src/image/registry/settings.ts';
import { startProxy } from '../../fixtures/connect-proxy.ts';
import { collect, digestOf, say, serve, type TestServer } from '../../fixtures/http-server.ts';
import { type Layout, readBlob, writeLayout } from '../../fixtures/oci-layout.ts';
import { makeCertificate, type Registry, registryMissing, startRegistry } from '../support/registry.ts';
import { startTokenServer } from '../support/token-server.ts';

const TEST_TITLE =
  registryMissing === undefined ? 'a real registry' : `a real registry (skipped: ${registryMissing})`;
const password = 'ge:heim "ä"';
const settings: Partial<Settings> = { environment: {}, certificateDirectories: [] };
const open = (name: string, options: RegistryOptions = {}, more: Partial<Settings> = {}) =>
  openRepository(parseReference(name), options, { ...settings, ...more });
/** Not in step: the server of tokens is in this process. */
const skopeo = async (...args: string[]) =>
  (await promisify(execFile)('skopeo', args, { encoding: 'utf8', timeout: 50_000 })).stdout;

describe.skipIf(registryMissing !== undefined)(TEST_TITLE, () => {
  let directory: string;
  let layout: Layout;
  beforeAll(() => {
    directory = mkdtempSync(join(tmpdir(), 'tsbox-client-'));
    const tar = (path: string) => execFileSync('tar', ['-c', '-C', import.meta.dirname, path]);
    layout = writeLayout(join(directory, 'layout'), {
      layers: [{ tar: tar('.') }, { tar: tar('client.test.ts') }],
    });
  });
  afterAll(() => rmSync(directory, { recursive: true }));

  /** Pushes with our client and reads with skopeo, and the other way round. */
  const exchange = async (
    registry: Registry,
    options: RegistryOptions,
    credentials: string[],
    more?: Partial<Settings>,
  ) => {
    const repository = open(`${registry.host}/ours/app`, options, more);
    for (const blob of [layout.config, ...layout.layers]) {
      expect(await repository.hasBlob(blob.digest)).toBe(false);
      await repository.uploadBlob(blob, async function* (offset) {
        yield readBlob(layout, blob.digest).subarray(offset);
      });
      expect(await repository.hasBlob(blob.digest)).toBe(true);
    }
    const { digest, mediaType } = layout.descriptor;
    expect(await repository.putManifest('1', mediaType, layout.manifest)).toBe(digest);
    const tls = '--tls-verify=false';
    const read = ['inspect', tls, ...(credentials.length > 0 ? ['--creds', ...credentials] : [])];
    expect(await skopeo(...read, '--raw', `docker://${registry.host}/ours/app:1`)).toBe(
      layout.manifest.toString(),
    );
    const back = join(directory, `back${Math.random()}`);
    const from = credentials.length > 0 ? ['--src-creds', ...credentials] : [];
    await skopeo(
      'copy',
      '-q',
      '--src-tls-verify=false',
      ...from,
      `docker://${registry.host}/ours/app:1`,
      `oci:${back}:latest`,
    );
    for (const { digest } of [layout.config, ...layout.layers])
      expect(readFileSync(join(back, 'blobs', 'sha256', digest.slice(7)))).toEqual(readBlob(layout, digest));

    const to = credentials.length > 0 ? ['--dest-creds', ...credentials] : [];
    await skopeo(
      'copy',
      '-q',
      '--dest-tls-verify=false',
      ...to,
      `oci:${layout.path}:latest`,
      `docker://${registry.host}/theirs:2`,
    );
    const theirs = open(`${registry.host}/theirs`, options, more);
    expect(await theirs.resolve('2')).toEqual({ digest, mediaType, size: layout.manifest.length });
    expect(await theirs.manifest('2')).toEqual({ mediaType, digest, bytes: layout.manifest });
    expect((await theirs.manifest(digest)).bytes).toEqual(layout.manifest);
    expect(await theirs.resolve('none')).toBeUndefined();
    const blobs = await Promise.all(layout.layers.map((layer) => collect(theirs.blob(layer))));
    expect(blobs).toEqual(layout.layers.map((layer) => readBlob(layout, layer.digest)));

    const third = open(`${registry.host}/third`, options, more);
    expect(await third.mountBlob(layout.config.digest, 'theirs')).toBe(true);
    expect(await third.hasBlob(layout.config.digest)).toBe(true);
    expect(await third.mountBlob(digestOf('nowhere'), 'theirs')).toBe(false);
  };

  it('without authentication and TLS', async () => {
    const registry = await startRegistry();
    try {
      await exchange(registry, {}, []);
      // One request to see that nothing has changed.
      const before = (await registry.requests()).length;
      await open(`${registry.host}/theirs`).resolve('2');
      expect((await registry.requests()).slice(before)).toEqual(['HEAD /v2/theirs/manifests/2 200']);
    } finally {
      await registry.stop();
    }
  });

  it('with a password', async () => {
    const registry = await startRegistry({ auth: { user: 'me', password } });
    try {
      await exchange(registry, { credentials: { username: 'me', password } }, [`me:${password}`]);
      for (const credentials of [undefined, { username: 'me', password: 'wrong' }]) {
        const repository = open(`${registry.host}/theirs`, { ...(credentials && { credentials }) });
        for (const refused of [
          () => repository.manifest('2'),
          () => repository.resolve('2'),
          () => repository.hasBlob(layout.config.digest),
        ])
          await expect(refused()).rejects.toMatchObject({
            code: 'REGISTRY_DENIED',
            advice: expect.stringContaining(`tsbox login ${registry.host}`),
          });
      }
    } finally {
      await registry.stop();
    }
  });

  it('with tokens', async () => {
    const tokens = await startTokenServer('me', password);
    const registry = await startRegistry({ token: tokens.settings });
    try {
      await exchange(registry, { credentials: { username: 'me', password } }, [`me:${password}`]);
      const before = tokens.given.length;
      const nobody = open(`${registry.host}/theirs`);
      expect((await nobody.manifest('2')).bytes).toEqual(layout.manifest);
      expect(await collect(nobody.blob(layout.config))).toEqual(readBlob(layout, layout.config.digest));
      // One for both.
      expect(tokens.given.slice(before)).toEqual(['- repository:theirs:pull']);
      await expect(nobody.putManifest('3', 'x', Buffer.from('{}'))).rejects.toMatchObject({
        code: 'REGISTRY_DENIED',
      });
      const wrong = open(`${registry.host}/theirs`, { credentials: { username: 'me', password: 'wrong' } });
      await expect(wrong.manifest('2')).rejects.toThrow('incorrect username or password');
    } finally {
      await registry.stop();
      await tokens.stop();
    }
  });

  describe('with TLS', () => {
    let registry: Registry;
    beforeAll(async () => {
      registry = await startRegistry({ tls: true });
    });
    afterAll(() => registry.stop());
    const certificates = (name: string) => {
      const parent = join(directory, name);
      mkdirSync(join(parent, registry.host), { recursive: true });
      return { parent, own: join(parent, registry.host) };
    };

    it('whose authority is in certs.d', async () => {
      const { parent, own } = certificates('certs.d');
      copyFileSync(registry.certificate as string, join(own, 'ca.crt'));
      await exchange(registry, { tlsVerify: true }, [], { certificateDirectories: ['/nonexistent', parent] });
    });

    it('whose authority the environment names', async () => {
      const environment = { SSL_CERT_FILE: registry.certificate };
      expect(
        await open(`${registry.host}/none`, { tlsVerify: true }, { environment }).resolve('1'),
      ).toBeUndefined();
    });

    it('that nobody vouches for', async () => {
      await expect(open(`${registry.host}/none`, { tlsVerify: true }).resolve('1')).rejects.toMatchObject({
        code: 'REGISTRY_UNREACHABLE',
        message: expect.stringMatching(/cannot reach .*: its certificate is signed by itself/),
        advice: expect.stringContaining(`/etc/docker/certs.d/${registry.host}/ca.crt`),
      });
      expect(await open(`${registry.host}/none`, { tlsVerify: false }).resolve('1')).toBeUndefined();
    });

    it('through a proxy, which sees nothing but where to', async () => {
      const proxy = await startProxy(registry.host, (_, response) => response.end());
      try {
        const environment = { https_proxy: `http://me:secret@${proxy.host}` };
        const through = (tlsVerify: boolean) =>
          open('registry.invalid:5000/theirs', { tlsVerify }, { environment });
        expect((await through(false).manifest('2')).bytes).toEqual(layout.manifest);
        const [layer] = layout.layers;
        if (layer === undefined) throw new Error('no layer');
        expect(await collect(through(false).blob(layer))).toEqual(readBlob(layout, layer.digest));
        expect(new Set(proxy.asked)).toEqual(new Set(['CONNECT registry.invalid:5000']));
        expect(proxy.headers[0]).toMatchObject({ 'proxy-authorization': 'Basic bWU6c2VjcmV0' });
        // The name that was asked for counts, not the address that the tunnel leads to.
        const trusting = { ...environment, SSL_CERT_FILE: registry.certificate };
        const strict = open('registry.invalid:5000/theirs', { tlsVerify: true }, { environment: trusting });
        await expect(strict.manifest('2')).rejects.toMatchObject({
          code: 'REGISTRY_UNREACHABLE',
          message: expect.stringContaining('its certificate is for other names'),
        });
      } finally {
        await proxy.stop();
      }
    });

    it('and a file in certs.d that is no certificate', async () => {
      const { parent, own } = certificates('bad');
      writeFileSync(join(own, 'client.cert'), 'nonsense');
      const repository = open(`${registry.host}/none`, {}, { certificateDirectories: [parent] });
      await expect(repository.resolve('1')).rejects.toMatchObject({ code: 'BAD_CERTIFICATE' });
    });
  });

  it('without TLS is not spoken to where TLS is wanted', async () => {
    const registry = await startRegistry();
    try {
      await expect(open(`${registry.host}/none`, { tlsVerify: true }).resolve('1')).rejects.toMatchObject({
        code: 'REGISTRY_UNREACHABLE',
        advice: expect.stringContaining('--tls-verify=false'),
      });
      expect(await registry.requests()).toEqual([]);
    } finally {
      await registry.stop();
    }
  });
});

describe.skipIf(registryMissing !== undefined)(`from TLS to plain HTTP${registryMissing ?? ''}`, () => {
  let directory: string;
  let plain: TestServer;
  let secure: TestServer;
  const blob = Buffer.from('a blob over plain HTTP');
  const challenge = { value: '' };
  beforeAll(async () => {
    directory = mkdtempSync(join(tmpdir(), 'tsbox-tls-'));
    const cert = readFileSync(makeCertificate(directory));
    const key = readFileSync(join(directory, 'key.pem'));
    plain = await serve((_, response) => say(response, 200, blob, { 'content-type': 'application/json' }));
    secure = await serve(
      (request, response) => {
        if (request.headers.authorization === undefined)
          say(response, 401, '', { 'www-authenticate': challenge.value });
        else say(response, 307, '', { location: `${plain.url}${request.url}` });
      },
      (listener) => createServer({ cert, key }, listener) as never,
    );
  });
  afterAll(async () => {
    await plain.stop();
    await secure.stop();
    rmSync(directory, { recursive: true });
  });
  const trusting = { environment: { SSL_CERT_FILE: '' }, certificateDirectories: [] as string[] };
  const repository = (options: RegistryOptions = { tlsVerify: true }) => {
    trusting.environment.SSL_CERT_FILE = join(directory, 'cert.pem');
    return openRepository(
      { registry: secure.host, path: 'app' },
      { credentials: { username: 'me', password: 'secret' }, ...options },
      { ...SETTINGS, ...trusting },
    );
  };

  it('CVE-2018-1000007: credentials do not go along', async () => {
    challenge.value = 'Basic realm="x"';
    expect(await collect(repository().blob({ digest: digestOf(blob), size: blob.length }))).toEqual(blob);
    expect(plain.headers).toHaveLength(1);
    expect(plain.headers[0]).not.toHaveProperty('authorization');
  });

  it('only what has a digest may go', async () => {
    challenge.value = 'Basic realm="x"';
    const before = plain.asked.length;
    await expect(repository().manifest('latest')).rejects.toMatchObject({
      code: 'REGISTRY_FAILED',
      message: expect.stringContaining('redirects from HTTPS to plain HTTP'),
    });
    expect(plain.asked).toHaveLength(before);
  });

  it('no password goes to a realm there', async () => {
    challenge.value = 'Bearer realm="http://tokens.example/token"';
    await expect(repository().manifest('latest')).rejects.toMatchObject({
      code: 'REGISTRY_FAILED',
      message: expect.stringContaining('over plain HTTP'),
    });
  });
});
