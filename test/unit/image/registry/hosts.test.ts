import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { hostsOf } from '../../../../src/image/registry/hosts.ts';
import { SETTINGS } from '../../../../src/image/registry/settings.ts';
import {
  type Answer,
  client,
  collect,
  digestOf,
  say,
  serve,
  type TestServer,
} from '../../../fixtures/http-server.ts';

let directory: string;
let file: string;
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'tsbox-hosts-'));
  file = join(directory, 'registries.json');
});
afterAll(() => rmSync(directory, { recursive: true }));

describe('hostsOf', () => {
  const hosts = (content: unknown, registry = 'docker.io', tlsVerify?: boolean) => {
    writeFileSync(file, typeof content === 'string' ? content : JSON.stringify(content));
    const settings = { ...SETTINGS, environment: { TSBOX_REGISTRIES: file } };
    return hostsOf(registry, tlsVerify === undefined ? {} : { tlsVerify }, settings);
  };
  const both = ['https', 'http'];

  it.each([
    ['docker.io', undefined, 'registry-1.docker.io', ['https'], true],
    ['ghcr.io', undefined, 'ghcr.io', ['https'], true],
    ['ghcr.io', false, 'ghcr.io', both, false],
    ['localhost:5000', undefined, 'localhost:5000', both, false],
    ['localhost', undefined, 'localhost', both, false],
    ['127.1.2.3:5000', undefined, '127.1.2.3:5000', both, false],
    ['[::1]:5000', undefined, '[::1]:5000', both, false],
    ['localhost:5000', true, 'localhost:5000', ['https'], true],
    ['localhost.example', undefined, 'localhost.example', ['https'], true],
    ['128.0.0.1:5000', undefined, '128.0.0.1:5000', ['https'], true],
    ['127.0.0.1.example:80', undefined, '127.0.0.1.example:80', ['https'], true],
  ])('%s with tlsVerify %s', (registry, tlsVerify, address, schemes, verify) => {
    expect(hosts({ registries: {} }, registry, tlsVerify)).toEqual([
      { registry, address, schemes, verify, prefix: '', isMirror: false },
    ]);
  });

  it('has the mirrors first, in order', () => {
    const content = {
      registries: {
        'docker.io': {
          mirrors: ['https://a.example', 'http://b.example:81/', 'c.example/hub/cache', 'old.example'],
        },
        'old.example': { insecure: true },
      },
    };
    expect(
      hosts(content).map(({ address, prefix, schemes, verify, isMirror }) => [
        address,
        prefix,
        schemes,
        verify,
        isMirror,
      ]),
    ).toEqual([
      ['a.example', '', ['https'], true, true],
      ['b.example:81', '', ['http'], true, true],
      ['c.example', 'hub/cache/', ['https'], true, true],
      ['old.example', '', both, false, true],
      ['registry-1.docker.io', '', ['https'], true, false],
    ]);
    expect(hosts(content, 'ghcr.io')).toHaveLength(1);
    expect(hosts(content, 'old.example')).toMatchObject([{ schemes: both, verify: false }]);
  });

  it.each([
    ['nothing', ''],
    ['no JSON', 'mirrors:'],
    ['no registries', {}],
    ['a list', { registries: [] }],
    ['mirrors that are no list', { registries: { 'docker.io': { mirrors: 'a' } } }],
    ['a mirror that is no text', { registries: { 'docker.io': { mirrors: [1] } } }],
    ['a mirror that is no server', { registries: { 'docker.io': { mirrors: ['ftp://a'] } } }],
    ['a mirror with a password', { registries: { 'docker.io': { mirrors: ['https://me:x@a'] } } }],
    ['a mirror with a query', { registries: { 'docker.io': { mirrors: ['https://a?x'] } } }],
    ['insecure that is neither', { registries: { 'docker.io': { insecure: 'yes' } } }],
  ])('refuses a file with %s', (_, content) => {
    expect(() => hosts(content)).toThrow(
      expect.objectContaining({ code: 'BAD_REGISTRIES', message: expect.stringContaining(file) }),
    );
  });

  it('needs no file', () => {
    const settings = { ...SETTINGS, environment: { TSBOX_REGISTRIES: join(directory, 'none') } };
    expect(hostsOf('constructor', {}, settings)).toHaveLength(1);
  });
});

describe('mirrors', () => {
  const servers: TestServer[] = [];
  afterEach(async () => {
    for (const server of servers.splice(0)) await server.stop();
  });
  const start = async (answer: Answer) => {
    const server = await serve(answer);
    servers.push(server);
    return server;
  };
  const blob = Buffer.from('what the mirror or the registry has');
  const descriptor = { digest: digestOf(blob), size: blob.length };
  const manifest = Buffer.from('{"schemaVersion":2}');
  const type = { 'content-type': 'application/vnd.oci.image.manifest.v1+json' };
  const has: Answer = (request, response) =>
    request.url?.includes('/manifests/') ? say(response, 200, manifest, type) : say(response, 200, blob);
  const withMirrors = (registry: TestServer, mirrors: string[], options = {}) => {
    writeFileSync(file, JSON.stringify({ registries: { [registry.host]: { mirrors } } }));
    return client(registry.host, options, {
      environment: { TSBOX_REGISTRIES: file, TSBOX_AUTH_FILE: '/nonexistent', DOCKER_CONFIG: '/nonexistent' },
    });
  };

  it('are asked in place of the registry', async () => {
    const registry = await start(has);
    const mirror = await start(has);
    const { repository } = withMirrors(registry, [`${mirror.url}/hub`]);
    await repository.resolve('1');
    expect((await repository.manifest('1')).bytes).toEqual(manifest);
    expect(await collect(repository.blob(descriptor))).toEqual(blob);
    expect(registry.asked).toEqual([]);
    expect(mirror.asked.at(-1)).toBe(`GET /v2/hub/team/app/blobs/${descriptor.digest}`);
  });

  it.each<[string, Answer]>([
    ['has it not', (_, response) => say(response, 404)],
    ['wants a login', (_, response) => say(response, 401, '', { 'www-authenticate': 'Basic realm="x"' })],
    ['is broken', (_, response) => say(response, 500)],
    ['breaks off', (request) => request.socket.destroy()],
    ['is no registry', (_, response) => say(response, 200, '<html>', { 'content-type': 'text/html' })],
  ])('are done without where one %s', async (_, fault) => {
    const registry = await start(has);
    const mirror = await start(fault);
    const { repository } = withMirrors(registry, [mirror.url]);
    expect((await repository.manifest('1')).bytes).toEqual(manifest);
    expect(await collect(repository.blob(descriptor))).toEqual(blob);
    expect(registry.asked).toHaveLength(2);
  });

  it('are done without where nobody answers', async () => {
    const registry = await start(has);
    const { repository } = withMirrors(registry, ['http://127.0.0.1:1']);
    expect((await repository.manifest('1')).bytes).toEqual(manifest);
    expect(await collect(repository.blob({ digest: digestOf(blob), size: blob.length }))).toEqual(blob);
  });

  it('are left in the middle of a blob', async () => {
    const registry = await start((request, response) => {
      const from = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1]);
      say(response, 206, blob.subarray(from), {
        'content-range': `bytes ${from}-${blob.length - 1}/${blob.length}`,
      });
    });
    let tries = 0;
    const mirror = await start((request, response) => {
      if (tries++ > 0) return void request.socket.destroy();
      response.writeHead(200, { 'content-length': String(blob.length) });
      response.write(blob.subarray(0, 10), () => response.socket?.end());
    });
    const { repository } = withMirrors(registry, [mirror.url]);
    expect(await collect(repository.blob(descriptor))).toEqual(blob);
    expect(registry.headers[0]?.range).toBe('bytes=10-');
  });

  it('never see the credentials of the registry', async () => {
    const registry = await start((request, response) =>
      request.headers.authorization === undefined
        ? say(response, 401, '', { 'www-authenticate': 'Basic realm="x"' })
        : say(response, 200, manifest, type),
    );
    const mirror = await start((_, response) =>
      say(response, 401, '', { 'www-authenticate': 'Basic realm="x"' }),
    );
    const { repository } = withMirrors(registry, [mirror.url], {
      credentials: { username: 'me', password: 'x' },
    });
    expect((await repository.manifest('1')).bytes).toEqual(manifest);
    expect(mirror.headers).toHaveLength(1);
    expect(mirror.headers[0]).not.toHaveProperty('authorization');
  });

  it('are not pushed to', async () => {
    const registry = await start((_, response) => say(response, 201));
    const mirror = await start(has);
    const { repository } = withMirrors(registry, [mirror.url]);
    await repository.putManifest('1', 'application/json', manifest);
    await repository.hasBlob(descriptor.digest);
    expect(mirror.asked).toEqual([]);
    expect(registry.asked).toHaveLength(2);
  });
});
