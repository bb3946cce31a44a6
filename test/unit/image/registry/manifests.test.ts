import { afterEach, describe, expect, it } from 'vitest';
import { type Answer, client, digestOf, say, serve, type TestServer } from '../../../fixtures/http-server.ts';

const OCI = 'application/vnd.oci.image.manifest.v1+json';
const INDEX = 'application/vnd.oci.image.index.v1+json';
const manifest = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: OCI }));
const digest = digestOf(manifest);

describe('a manifest', () => {
  let server: TestServer | undefined;
  afterEach(async () => {
    await server?.stop();
    server = undefined;
  });
  const start = async (answer: Answer) => {
    server = await serve(answer);
    return client(server.host).repository;
  };
  const giving = (body: string | Buffer, headers: Record<string, string> = { 'content-type': OCI }) =>
    start((_, response) => say(response, 200, body, headers));

  it('comes byte for byte', async () => {
    const repository = await giving(manifest, {
      'content-type': `${OCI}; charset=utf-8`,
      'docker-content-digest': digest,
    });
    expect(await repository.manifest('1.0')).toEqual({ mediaType: OCI, digest, bytes: manifest });
    expect(server?.asked).toEqual(['GET /v2/team/app/manifests/1.0']);
    for (const type of [OCI, INDEX, 'application/vnd.docker.distribution.manifest.v2+json'])
      expect(server?.headers[0]?.accept).toContain(type);
  });

  it('says its type itself where the registry does not', async () => {
    const repository = await giving(manifest, { 'content-type': 'application/json' });
    expect((await repository.manifest('1.0')).mediaType).toBe(OCI);
  });

  it('CVE-2021-41190: cannot be one thing for the registry and another by its own account', async () => {
    const repository = await giving(manifest, { 'content-type': INDEX });
    await expect(repository.manifest('1.0')).rejects.toMatchObject({
      code: 'BAD_MANIFEST',
      message: expect.stringContaining(INDEX),
    });
  });

  it('by a digest must be what the digest says', async () => {
    const repository = await giving(manifest);
    expect((await repository.manifest(digest)).bytes).toEqual(manifest);
    await expect(repository.manifest(digestOf('other'))).rejects.toMatchObject({ code: 'BAD_MANIFEST' });
  });

  it('must be what the registry says that it is', async () => {
    const repository = await giving(manifest, {
      'content-type': OCI,
      'docker-content-digest': digestOf('other'),
    });
    await expect(repository.manifest('1.0')).rejects.toMatchObject({ code: 'BAD_MANIFEST' });
  });

  it.each<[string, string | Buffer, string]>([
    ['an array', '[]', 'no JSON object'],
    ['cut in the middle', '{"schemaVersion":', 'no JSON object'],
    ['nothing', '', 'no JSON object'],
    ['a thousand levels deep', `{"a":${'['.repeat(1000)}${']'.repeat(1000)}}`, 'nested without end'],
    ['a million levels deep', '['.repeat(1_000_000), 'nested without end'],
    ['larger than 4 MiB', `{"a":"${'x'.repeat(4 << 20)}"}`, 'larger than 4 MiB'],
  ])('that is %s is refused', async (_, body, message) => {
    const repository = await giving(body);
    await expect(repository.manifest('1.0')).rejects.toMatchObject({
      code: 'BAD_MANIFEST',
      message: expect.stringContaining(message),
    });
  });

  it('of 100 MB is not read', async () => {
    let written = 0;
    const repository = await start((_, response) => {
      response.writeHead(200, { 'content-type': OCI });
      const more = () => {
        while (!response.destroyed && written < 100e6) {
          written += 65536;
          if (!response.write(Buffer.alloc(65536, ' '))) return void response.once('drain', more);
        }
      };
      more();
    });
    await expect(repository.manifest('1.0')).rejects.toThrow('larger than 4 MiB');
    expect(written).toBeLessThan(50e6);
  });

  it('is no web page', async () => {
    const repository = await giving('<!DOCTYPE html><title>Log in to the hotel</title>', {
      'content-type': 'text/html',
    });
    await expect(repository.manifest('1.0')).rejects.toMatchObject({
      code: 'BAD_MANIFEST',
      message: expect.stringContaining('a web page came in place of a manifest'),
    });
  });

  it('that is not there is said so', async () => {
    const repository = await start((_, response) => say(response, 404));
    expect(await repository.resolve('1.0')).toBeUndefined();
    await expect(repository.manifest('1.0')).rejects.toMatchObject({
      code: 'MANIFEST_NOT_FOUND',
      message: expect.stringContaining('team/app:1.0: not found'),
    });
  });

  it.each(['../../other', 'a b', 'a?b', 'a/b', '', '-a', 'a#b'])('has no tag %j', async (tag) => {
    const repository = await giving(manifest);
    await expect(repository.manifest(tag)).rejects.toMatchObject({ code: 'BAD_REFERENCE' });
    expect(server?.asked).toEqual([]);
  });

  it('is resolved by one HEAD', async () => {
    const repository = await giving(manifest, { 'content-type': OCI, 'docker-content-digest': digest });
    expect(await repository.resolve('1.0')).toEqual({ digest, mediaType: OCI, size: manifest.length });
    expect(server?.asked).toEqual(['HEAD /v2/team/app/manifests/1.0']);
  });

  it('is resolved by itself where HEAD does not say its digest', async () => {
    const repository = await giving(manifest);
    expect(await repository.resolve('1.0')).toEqual({ digest, mediaType: OCI, size: manifest.length });
    expect(server?.asked).toEqual(['HEAD /v2/team/app/manifests/1.0', 'GET /v2/team/app/manifests/1.0']);
  });

  it.each<[number, Record<string, string>, string, string, string]>([
    [
      403,
      {},
      '{"errors":[{"code":"DENIED","message":"not for you"}]}',
      'REGISTRY_DENIED',
      'DENIED: not for you',
    ],
    [
      401,
      {},
      '{"errors":[{"code":"UNAUTHORIZED","message":"who?"}]}',
      'REGISTRY_DENIED',
      'UNAUTHORIZED: who?',
    ],
    [400, {}, '{"details":"bad"}', 'REGISTRY_FAILED', 'answers 400: bad'],
    [400, {}, '{"errors":[{"code":"X","message":"a\\u001b[31mb\\nc"}]}', 'REGISTRY_FAILED', 'X: a [31mb c'],
    [
      405,
      { 'content-type': 'text/html' },
      '<html>',
      'REGISTRY_FAILED',
      'a web page, not the answer of a registry',
    ],
    [400, {}, 'x'.repeat(200_000), 'REGISTRY_FAILED', 'answers 400'],
    [400, {}, '{"errors":"none"}', 'REGISTRY_FAILED', 'answers 400'],
    [400, {}, '{"errors":[null]}', 'REGISTRY_FAILED', 'answers 400'],
  ])('%i %j %j is said in one line', async (status, headers, body, code, text) => {
    const repository = await start((_, response) => say(response, status, body, headers));
    const failure = await repository.manifest('1.0').catch((error: unknown) => error);
    expect(failure).toMatchObject({ code, message: expect.stringContaining(text) });
    expect((failure as Error).message).not.toMatch(/\p{Cc}/u);
    expect((failure as Error).message.length).toBeLessThan(500);
  });

  it('refused to HEAD is asked for the reason', async () => {
    const repository = await start((request, response) =>
      say(
        response,
        403,
        request.method === 'HEAD' ? '' : '{"errors":[{"code":"DENIED","message":"not for you"}]}',
      ),
    );
    await expect(repository.resolve('1.0')).rejects.toThrow('DENIED: not for you');
  });

  it('is sent', async () => {
    let sent: unknown;
    const repository = await start((request, response, body) => {
      sent = { type: request.headers['content-type'], body };
      say(response, 201, '', { 'docker-content-digest': digest });
    });
    expect(await repository.putManifest('1.0', OCI, manifest)).toBe(digest);
    expect(sent).toEqual({ type: OCI, body: manifest });
    expect(server?.asked).toEqual(['PUT /v2/team/app/manifests/1.0']);
    await expect(repository.putManifest(digestOf('other'), OCI, manifest)).rejects.toMatchObject({
      code: 'BAD_DIGEST',
    });
  });
});
