import { afterEach, describe, expect, it } from 'vitest';
import {
  type Answer,
  client,
  collect,
  digestOf,
  say,
  serve,
  type TestServer,
} from '../../../fixtures/http-server.ts';

const blob = Buffer.from('a blob that lies elsewhere');
const descriptor = { digest: digestOf(blob), size: blob.length };
const credentials = { username: 'me', password: 'secret' };
const basic = `Basic ${Buffer.from('me:secret').toString('base64')}`;

describe('redirects', () => {
  const servers: TestServer[] = [];
  afterEach(async () => {
    for (const server of servers.splice(0)) await server.stop();
  });
  const start = async (answer: Answer) => {
    const server = await serve(answer);
    servers.push(server);
    return server;
  };
  /** A registry that wants Basic and then sends people to another place. */
  const registryTo = (location: (path: string) => string, status = 307) =>
    start((request, response) => {
      if (request.headers.authorization === undefined)
        say(response, 401, '', { 'www-authenticate': 'Basic realm="x"' });
      else say(response, status, '', { location: location(request.url ?? '') });
    });

  it.each([301, 302, 303, 307, 308])('%i leads to another server', async (status) => {
    const storage = await start((_, response) => say(response, 200, blob));
    const registry = await registryTo(() => `${storage.url}/data?signature=a%2Fb`, status);
    const { repository } = client(registry.host, { credentials });
    expect(await collect(repository.blob(descriptor))).toEqual(blob);
    expect(storage.asked).toEqual(['GET /data?signature=a%2Fb']);
  });

  it('CVE-2018-1000007: another server never sees the credentials', async () => {
    const storage = await start((_, response) => say(response, 200, blob));
    const registry = await registryTo(() => `${storage.url}/data`);
    const { repository } = client(registry.host, { credentials });
    await collect(repository.blob(descriptor));
    // Another port is another server (follow-redirects, CVE-2022-0155).
    expect(storage.headers[0]).not.toHaveProperty('authorization');
    expect(JSON.stringify(storage.headers)).not.toContain(basic.slice(6));
    expect(registry.headers.at(-1)?.authorization).toBe(basic);
  });

  it('the same server sees them again', async () => {
    const registry = await start((request, response) => {
      if (request.headers.authorization !== basic)
        say(response, 401, '', { 'www-authenticate': 'Basic realm="x"' });
      else if (request.url === '/elsewhere') say(response, 200, blob);
      else say(response, 302, '', { location: '/elsewhere' });
    });
    const { repository } = client(registry.host, { credentials });
    expect(await collect(repository.blob(descriptor))).toEqual(blob);
  });

  it("CVE-2020-15157: another server's challenge is not answered with our credentials", async () => {
    const offers = (url: string) => [`Basic realm="x"`, `Bearer realm="${url}/token",service="x"`];
    for (const offer of [0, 1]) {
      const thief: TestServer = await start((_, response) =>
        say(response, 401, '', { 'www-authenticate': offers(thief.url)[offer] as string }),
      );
      // It lets everybody in, so that nothing but the other's challenge is ever heard.
      const registry = await start((_, response) =>
        say(response, 307, '', { location: `${thief.url}/data` }),
      );
      const { repository } = client(registry.host, { credentials });
      await expect(collect(repository.blob(descriptor))).rejects.toMatchObject({ code: 'REGISTRY_DENIED' });
      expect(thief.asked).toEqual(['GET /data']);
      expect(thief.headers[0]).not.toHaveProperty('authorization');
    }
  });

  it('go on after a broken connection from the start, since the way there may have expired', async () => {
    let tries = 0;
    const storage = await start((request, response) => {
      if (++tries === 1) {
        response.writeHead(200, { 'content-length': String(blob.length) });
        response.write(blob.subarray(0, 5), () => response.destroy());
      } else {
        const from = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1]);
        const range = `bytes ${from}-${blob.length - 1}/${blob.length}`;
        say(response, 206, blob.subarray(from), { 'content-range': range });
      }
    });
    const registry = await registryTo(() => `${storage.url}/data?${tries}`);
    const { repository } = client(registry.host, { credentials });
    expect(await collect(repository.blob(descriptor))).toEqual(blob);
    expect(storage.asked).toEqual(['GET /data?0', 'GET /data?1']);
    expect(storage.headers[1]?.range).toBe('bytes=5-');
  });

  it('in a circle end', async () => {
    const registry = await start((request, response) =>
      say(response, 307, '', { location: `${request.url}` }),
    );
    const { repository } = client(registry.host);
    await expect(collect(repository.blob(descriptor))).rejects.toMatchObject({
      code: 'REGISTRY_FAILED',
      message: expect.stringContaining('redirects more than 10 times'),
    });
    expect(registry.asked).toHaveLength(11);
  });

  it.each(['file:///etc/passwd', 'ftp://127.0.0.1/x', 'http://', 'javascript:1', '//'])(
    'to %s are refused',
    async (to) => {
      const registry = await start((_, response) => say(response, 307, '', { location: to }));
      const { repository } = client(registry.host);
      await expect(collect(repository.blob(descriptor))).rejects.toMatchObject({
        code: 'REGISTRY_FAILED',
        message: expect.stringContaining('no web address'),
      });
    },
  );

  it('with a body that does not end are followed without reading it', async () => {
    const storage = await start((_, response) => say(response, 200, blob));
    const registry = await start((_, response) => {
      response.writeHead(307, { location: `${storage.url}/data` });
      const more = () => {
        while (!response.destroyed)
          if (!response.write(Buffer.alloc(65536))) return void response.once('drain', more);
      };
      more();
    });
    const { repository } = client(registry.host);
    expect(await collect(repository.blob(descriptor))).toEqual(blob);
  });
});
