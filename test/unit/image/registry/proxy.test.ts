import { afterEach, describe, expect, it } from 'vitest';
import { proxyFor } from '../../../../src/image/registry/http/index.ts';
import { startProxy } from '../../../fixtures/connect-proxy.ts';
import { client, say, serve } from '../../../fixtures/http-server.ts';

const manifest = Buffer.from('{"schemaVersion":2}');

describe('proxyFor', () => {
  const proxy = 'http://proxy.example:3128';
  it.each<[string, Record<string, string>, string | undefined]>([
    ['https://a.example/', {}, undefined],
    ['https://a.example/', { https_proxy: proxy }, `${proxy}/`],
    ['https://a.example/', { HTTPS_PROXY: proxy }, `${proxy}/`],
    ['https://a.example/', { https_proxy: 'http://first:1', HTTPS_PROXY: proxy }, 'http://first:1/'],
    ['https://a.example/', { http_proxy: proxy }, undefined],
    ['http://a.example/', { http_proxy: proxy }, `${proxy}/`],
    ['http://a.example/', { https_proxy: proxy }, undefined],
    ['https://a.example/', { all_proxy: proxy }, `${proxy}/`],
    ['http://a.example/', { ALL_PROXY: proxy }, `${proxy}/`],
    ['https://a.example/', { https_proxy: '', HTTPS_PROXY: '' }, undefined],
    ['https://a.example/', { https_proxy: 'proxy.example:3128' }, `${proxy}/`],
    ['https://a.example/', { https_proxy: 'https://proxy.example' }, 'https://proxy.example/'],
    // This machine.
    ['https://localhost:5000/', { https_proxy: proxy }, undefined],
    ['http://127.8.9.1/', { http_proxy: proxy }, undefined],
    ['https://[::1]/', { https_proxy: proxy }, undefined],
  ])('of %s with %j is %s', (url, environment, expected) => {
    expect(proxyFor(new URL(url), environment)?.href).toBe(expected);
  });

  it('CVE-2016-5386: a header Proxy of a CGI request is none', () => {
    const url = new URL('http://a.example/');
    expect(proxyFor(url, { HTTP_PROXY: proxy })?.href).toBe(`${proxy}/`);
    expect(proxyFor(url, { HTTP_PROXY: proxy, REQUEST_METHOD: 'GET' })).toBeUndefined();
    expect(proxyFor(url, { http_proxy: proxy, REQUEST_METHOD: 'GET' })?.href).toBe(`${proxy}/`);
  });

  it.each(['socks5://127.0.0.1:1080', 'http://', 'http://a b'])('refuses %s', (value) => {
    expect(() => proxyFor(new URL('https://a.example/'), { https_proxy: value })).toThrow(
      expect.objectContaining({ code: 'BAD_PROXY', message: expect.stringContaining('https_proxy') }),
    );
  });

  // The rules of golang.org/x/net/http/httpproxy.
  it.each<[string, string, boolean]>([
    ['*', 'https://a.example', true],
    ['example', 'https://a.example', true],
    ['a.example', 'https://a.example', true],
    ['a.example', 'https://b.a.example', true],
    ['a.example', 'https://ba.example', false],
    ['a.example', 'https://a.example.com', false],
    ['.a.example', 'https://b.a.example', true],
    ['.a.example', 'https://a.example', false],
    ['*.a.example', 'https://b.a.example', true],
    ['*.a.example', 'https://a.example', false],
    ['A.Example', 'https://a.example', true],
    ['b.example, a.example', 'https://a.example', true],
    ['a.example:443', 'https://a.example', true],
    ['a.example:444', 'https://a.example', false],
    ['a.example:444', 'https://a.example:444', true],
    ['10.0.0.0/8', 'https://10.1.2.3', true],
    ['10.0.0.0/8', 'https://11.1.2.3', false],
    ['10.0.0.0/33', 'https://10.1.2.3', false],
    ['10.1.2.3', 'https://10.1.2.3:5000', true],
    ['10.1.2.3:5000', 'https://10.1.2.3:5000', true],
    ['10.1.2.3:5001', 'https://10.1.2.3:5000', false],
    ['2001:db8::/32', 'https://[2001:db8::7]:5000', true],
    ['2001:db8::7', 'https://[2001:db8:0::7]', true],
    ['[2001:db8::7]:443', 'https://[2001:db8::7]', true],
    ['[2001:db8::7]:444', 'https://[2001:db8::7]', false],
    ['10.0.0.0/8', 'https://a.example', false],
    ['', 'https://a.example', false],
    [',,', 'https://a.example', false],
    ['/8', 'https://a.example', false],
  ])('no_proxy=%s for %s: %s', (list, url, bypassed) => {
    for (const name of ['no_proxy', 'NO_PROXY'])
      expect(proxyFor(new URL(url), { all_proxy: proxy, [name]: list }) === undefined).toBe(bypassed);
  });
});

describe('through a proxy', () => {
  const servers: { stop(): Promise<void> }[] = [];
  afterEach(async () => {
    for (const server of servers.splice(0)) await server.stop();
  });
  const proxyTo = async (target: string | undefined) => {
    const proxy = await startProxy(target, (_, response) => say(response, 200, manifest));
    servers.push(proxy);
    return proxy;
  };
  const environment = (proxy: string) => ({
    all_proxy: proxy,
    TSBOX_REGISTRIES: '/nonexistent',
    TSBOX_AUTH_FILE: '/nonexistent',
    DOCKER_CONFIG: '/nonexistent',
  });

  it('plain HTTP asks for the whole address, with the password for the proxy', async () => {
    const proxy = await proxyTo(undefined);
    const { repository } = client(
      'registry.invalid:5000',
      { tlsVerify: false },
      { environment: environment(`http://us%40er:p%3Aw@${proxy.host}`) },
    );
    // The tunnel for TLS is refused, and a proxy that refuses is no sign that there is no TLS.
    await expect(repository.manifest('1')).rejects.toMatchObject({
      code: 'REGISTRY_UNREACHABLE',
      message: expect.stringContaining(
        `the proxy http://${proxy.host} answers 405 to CONNECT registry.invalid:5000`,
      ),
    });
    const basic = `Basic ${Buffer.from('us@er:p:w').toString('base64')}`;
    expect(proxy.headers[0]).toMatchObject({ 'proxy-authorization': basic, host: 'registry.invalid:5000' });
  });

  it('a registry that has no TLS is found out through the tunnel, then asked in plain', async () => {
    const registry = await serve((_, response) => say(response, 200, manifest));
    servers.push(registry);
    const proxy = await proxyTo(registry.host);
    const { repository } = client(
      'registry.invalid:5000',
      { tlsVerify: false },
      { environment: environment(`http://me:secret@${proxy.host}`) },
    );
    expect((await repository.manifest('1')).bytes).toEqual(manifest);
    expect(proxy.asked).toEqual([
      'CONNECT registry.invalid:5000',
      'GET http://registry.invalid:5000/v2/team/app/manifests/1',
    ]);
    const basic = `Basic ${Buffer.from('me:secret').toString('base64')}`;
    expect(proxy.headers[1]).toMatchObject({ 'proxy-authorization': basic, host: 'registry.invalid:5000' });
  });

  it('that is not there, says so without its password', async () => {
    const { repository } = client(
      'registry.invalid',
      {},
      { environment: environment('http://me:secret@127.0.0.1:1') },
    );
    const failure = await repository.manifest('1').catch((error: Error) => error);
    expect(failure).toMatchObject({
      code: 'REGISTRY_UNREACHABLE',
      message: expect.stringContaining('the proxy http://127.0.0.1:1 cannot be used: connection refused'),
    });
    expect(JSON.stringify(failure)).not.toContain('secret');
  });
});
