import { afterEach, describe, expect, it, vi } from 'vitest';
import type { RegistryOptions } from '../../../../src/image/registry/index.ts';
import { SETTINGS } from '../../../../src/image/registry/settings.ts';
import { type Answer, client, digestOf, say, serve, type TestServer } from '../../../fixtures/http-server.ts';

const manifest = Buffer.from('{"schemaVersion":2}');
const credentials = { username: 'me', password: 'pässword:1' };
const basic = `Basic ${Buffer.from('me:pässword:1').toString('base64')}`;

describe('authentication', () => {
  const servers: TestServer[] = [];
  afterEach(async () => {
    vi.useRealTimers();
    for (const server of servers.splice(0)) await server.stop();
  });
  const start = async (answer: Answer) => {
    const server = await serve(answer);
    servers.push(server);
    return server;
  };
  /** A registry that takes `token()`, and sends everybody else to the realm. */
  const registryWith = (realm: () => string, token: () => string) =>
    start((request, response) => {
      if (request.headers.authorization === `Bearer ${token()}`) say(response, 200, manifest);
      else {
        const challenge = `Bearer realm="${realm()}",service="the service",scope="repository:team/app:pull"`;
        say(response, 401, '{"errors":[{"code":"UNAUTHORIZED"}]}', { 'www-authenticate': challenge });
      }
    });
  /** A token server whose every token is another, and a registry that takes only the last one. */
  const both = async (answer: object = {}) => {
    let count = 0;
    const tokens = await start((_, response) =>
      say(response, 200, JSON.stringify({ token: `t${++count}`, ...answer })),
    );
    const registry = await registryWith(
      () => `${tokens.url}/token`,
      () => `t${count}`,
    );
    return { tokens, registry };
  };

  it('fetches a token for nobody', async () => {
    const { tokens, registry } = await both();
    const { repository } = client(registry.host);
    expect((await repository.manifest('1')).digest).toBe(digestOf(manifest));
    expect(tokens.asked).toEqual(['GET /token?service=the+service&scope=repository%3Ateam%2Fapp%3Apull']);
    expect(tokens.headers[0]).not.toHaveProperty('authorization');
    expect(registry.asked).toHaveLength(2);
  });

  it('fetches a token with the password', async () => {
    const { tokens, registry } = await both();
    await client(registry.host, { credentials }).repository.manifest('1');
    expect(new URL(tokens.asked[0]?.slice(4) ?? '', tokens.url).searchParams.get('account')).toBe('me');
    expect(tokens.headers[0]?.authorization).toBe(basic);
    // The registry itself never sees the password.
    expect(registry.headers.map(({ authorization }) => authorization)).toEqual([undefined, 'Bearer t1']);
  });

  it('keeps a token, one for each scope', async () => {
    const { tokens, registry } = await both({ expires_in: 300 });
    const { repository } = client(registry.host);
    for (let round = 0; round < 3; round++) await repository.manifest('1');
    expect(tokens.asked).toHaveLength(1);
    // Without being refused first: it is known by now where tokens come from.
    await repository.putManifest('1', 'application/json', manifest);
    expect(tokens.asked[1]).toContain('scope=repository%3Ateam%2Fapp%3Apull%2Cpush');
    expect(registry.asked).toHaveLength(5);
  });

  it('fetches one token for many requests at once', async () => {
    const { tokens, registry } = await both({ expires_in: 300 });
    const { repository } = client(registry.host);
    await Promise.all(Array.from({ length: 8 }, () => repository.manifest('1')));
    expect(tokens.asked).toHaveLength(1);
  });

  it('fetches another token when the first is about to expire', async () => {
    vi.useFakeTimers({ toFake: ['Date'] });
    const { tokens, registry } = await both({ expires_in: 100 });
    const { repository } = client(registry.host);
    await repository.manifest('1');
    vi.setSystemTime(Date.now() + 80_000);
    await repository.manifest('1');
    expect(tokens.asked).toHaveLength(1);
    vi.setSystemTime(Date.now() + 15_000);
    await repository.manifest('1');
    expect(tokens.asked).toHaveLength(2);
    expect(registry.asked).toHaveLength(4);
  });

  it('fetches another token when the first is refused, once', async () => {
    let accepted = 't1';
    let count = 0;
    const tokens = await start((_, response) => say(response, 200, `{"access_token":"t${++count}"}`));
    const registry = await registryWith(
      () => `${tokens.url}/token`,
      () => accepted,
    );
    const { repository } = client(registry.host);
    await repository.manifest('1');
    accepted = 't2';
    await repository.manifest('1');
    expect(tokens.asked).toHaveLength(2);
    accepted = 'none';
    await expect(repository.manifest('1')).rejects.toMatchObject({
      code: 'REGISTRY_DENIED',
      advice: expect.stringContaining(`tsbox login ${registry.host}`),
    });
    expect(tokens.asked).toHaveLength(3);
  });

  it('gives an identity token for a token, by POST', async () => {
    let form = '';
    const tokens = await start((_, response, body) => {
      form = body.toString();
      say(response, 200, '{"access_token":"t"}');
    });
    const registry = await registryWith(
      () => `${tokens.url}/token`,
      () => 't',
    );
    const identity = { username: 'me', password: '', identityToken: 'the+identity' };
    await client(registry.host, { credentials: identity } as RegistryOptions).repository.manifest('1');
    expect(tokens.asked).toEqual(['POST /token']);
    expect(tokens.headers[0]).not.toHaveProperty('authorization');
    expect(Object.fromEntries(new URLSearchParams(form))).toEqual({
      grant_type: 'refresh_token',
      service: 'the service',
      client_id: 'tsbox',
      scope: 'repository:team/app:pull',
      refresh_token: 'the+identity',
    });
  });

  it('sends the password where the registry wants that, and only then', async () => {
    const registry = await start((request, response) =>
      request.headers.authorization === basic
        ? say(response, 200, manifest)
        : say(response, 401, '', { 'www-authenticate': 'Basic realm="x"' }),
    );
    const { repository } = client(registry.host, { credentials });
    await repository.manifest('1');
    await repository.manifest('1');
    expect(registry.headers.map(({ authorization }) => authorization)).toEqual([undefined, basic, basic]);
    const other = client(registry.host, { credentials: { username: 'me', password: 'wrong' } });
    await expect(other.repository.manifest('1')).rejects.toMatchObject({ code: 'REGISTRY_DENIED' });
    await expect(client(registry.host).repository.manifest('1')).rejects.toMatchObject({
      code: 'REGISTRY_DENIED',
    });
  });

  it('says who was refused a token', async () => {
    const tokens = await start((_, response) =>
      say(response, 401, '{"details":"incorrect username or password"}'),
    );
    const registry = await registryWith(
      () => tokens.url,
      () => '-',
    );
    const { repository } = client(registry.host, { credentials });
    await expect(repository.manifest('1')).rejects.toMatchObject({
      code: 'REGISTRY_DENIED',
      message: expect.stringMatching(/does not let `me` in: .*incorrect username or password/),
      advice: `tsbox login ${registry.host}`,
    });
    expect(tokens.asked).toHaveLength(1);
  });

  it.each([
    ['no JSON', '<html>'],
    ['no token', '{}'],
    ['a number', '{"token":5}'],
    ['a line break', '{"token":"a\\r\\nx: y"}'],
    ['nothing', '{"token":""}'],
    ['a hundred kilobytes', `{"token":"${'x'.repeat(100_000)}"}`],
    ['a thousand levels', `{"token":"a","b":${'['.repeat(1000)}${']'.repeat(1000)}}`],
  ])('takes no token from %s', async (_, body) => {
    const tokens = await start((_, response) => say(response, 200, body));
    const registry = await registryWith(
      () => tokens.url,
      () => '-',
    );
    await expect(client(registry.host).repository.manifest('1')).rejects.toMatchObject({
      code: 'REGISTRY_FAILED',
      message: expect.stringContaining(`${new URL(tokens.url).host} gives none`),
    });
  });

  it.each(['', 'not a url', 'file:///etc/passwd', '/token'])('goes to no realm %j', async (realm) => {
    const registry = await registryWith(
      () => realm,
      () => '-',
    );
    await expect(client(registry.host).repository.manifest('1')).rejects.toMatchObject({
      code: realm === '' ? 'REGISTRY_DENIED' : 'REGISTRY_FAILED',
    });
  });

  it('does not wait for ever for a token', async () => {
    const tokens = await start(() => {});
    const registry = await registryWith(
      () => tokens.url,
      () => '-',
    );
    const timeouts = { ...SETTINGS.timeouts, response: 50 };
    const { repository, waits } = client(registry.host, {}, { timeouts });
    await expect(repository.manifest('1')).rejects.toMatchObject({
      code: 'REGISTRY_UNREACHABLE',
      message: expect.stringContaining(tokens.host),
    });
    expect(waits).toHaveLength(1);
  });

  it('does not take the password along where the realm redirects to another server', async () => {
    const other = await start((_, response) => say(response, 200, '{"token":"t"}'));
    const tokens = await start((_, response) => say(response, 307, '', { location: `${other.url}/t` }));
    const registry = await registryWith(
      () => tokens.url,
      () => 't',
    );
    await client(registry.host, { credentials }).repository.manifest('1');
    expect(tokens.headers[0]?.authorization).toBe(basic);
    expect(other.headers[0]).not.toHaveProperty('authorization');
  });
});
