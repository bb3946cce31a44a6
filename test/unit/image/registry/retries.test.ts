import { afterEach, describe, expect, it } from 'vitest';
import { parseRetryAfter } from '../../../../src/image/registry/retry-after.ts';
import { SETTINGS } from '../../../../src/image/registry/settings.ts';
import { type Answer, client, digestOf, say, serve, type TestServer } from '../../../fixtures/http-server.ts';

const manifest = Buffer.from('{"schemaVersion":2}');
const type = 'application/vnd.oci.image.manifest.v1+json';

describe('tries again', () => {
  let server: TestServer | undefined;
  afterEach(async () => await server?.stop());

  async function answering(faults: Answer[]) {
    let count = 0;
    server = await serve((request, response, body) => {
      const fault = faults[count++];
      if (fault !== undefined) fault(request, response, body);
      else say(response, 200, manifest, { 'content-type': type });
    });
    return client(server.host);
  }

  it.each([408, 429, 500, 502, 503, 504])('after %i', async (status) => {
    const { repository, waits, retries } = await answering([(_, response) => say(response, status)]);
    expect((await repository.manifest('1')).digest).toBe(digestOf(manifest));
    expect(server?.asked).toHaveLength(2);
    expect(waits).toHaveLength(1);
    expect(retries[0]).toContain(`answers ${status}`);
  });

  it.each([400, 403, 405, 501, 505])('never after %i', async (status) => {
    const { repository } = await answering([(_, response) => say(response, status)]);
    await expect(repository.manifest('1')).rejects.toThrow(`answers ${status}`);
    expect(server?.asked).toHaveLength(1);
  });

  it('after a connection that broke before the answer', async () => {
    const { repository, waits } = await answering([(request) => request.socket.destroy()]);
    expect((await repository.manifest('1')).bytes).toEqual(manifest);
    expect(waits).toHaveLength(1);
  });

  it('at once where a connection that was kept had just been closed', async () => {
    const seen = new Set<unknown>();
    server = await serve((request, response) => {
      // Each connection is good for one answer, and does not say so.
      if (seen.has(request.socket)) return void request.socket.destroy();
      seen.add(request.socket);
      say(response, 200, manifest, { 'content-type': type });
    });
    const { repository, waits } = client(server.host);
    for (let round = 0; round < 5; round++) expect((await repository.manifest('1')).bytes).toEqual(manifest);
    expect(waits).toEqual([]);
  });

  it.each([
    ['SSH-2.0-OpenSSH_9.2\r\n\r\n', 'what it says is not HTTP'],
    [`HTTP/1.1 200 OK\r\nx: ${'x'.repeat(100_000)}\r\n\r\n`, 'the head of its answer is too long'],
  ])('never what is no HTTP', async (noise, message) => {
    server = await serve((request) => request.socket.end(noise));
    const { repository, waits } = client(server.host);
    await expect(repository.manifest('1')).rejects.toMatchObject({
      code: 'REGISTRY_UNREACHABLE',
      message: expect.stringContaining(message),
    });
    expect(waits).toEqual([]);
  });

  it('after longer and longer times, and not for ever', async () => {
    const { repository, waits } = await answering(
      Array(100).fill((_: unknown, response: never) => say(response, 503)),
    );
    await expect(repository.manifest('1')).rejects.toMatchObject({ code: 'REGISTRY_FAILED' });
    expect(server?.asked).toHaveLength(6);
    expect(waits).toHaveLength(5);
    for (const [index, wait] of waits.entries()) {
      const most = 500 * 2 ** index;
      expect(wait).toBeLessThanOrEqual(most);
      expect(wait).toBeGreaterThanOrEqual(most / 2);
    }
  });

  it('no sooner than Retry-After says', async () => {
    const { repository, waits } = await answering([
      (_, response) => say(response, 429, '', { 'retry-after': '7' }),
      (_, response) => say(response, 503, '', { 'retry-after': new Date(Date.now() + 60_000).toUTCString() }),
    ]);
    await repository.manifest('1');
    expect(waits[0]).toBe(7000);
    expect(waits[1]).toBeGreaterThan(50_000);
    expect(waits[1]).toBeLessThanOrEqual(60_000);
  });

  it('not where Retry-After is too long to wait for, and says it', async () => {
    const { repository, waits } = await answering([
      (_, response) => say(response, 429, '', { 'retry-after': '3600' }),
    ]);
    await expect(repository.manifest('1')).rejects.toMatchObject({
      code: 'REGISTRY_BUSY',
      message: expect.stringContaining('it wants to be asked again in 3600 seconds'),
    });
    expect(waits).toEqual([]);
  });

  it('not where nobody has ever answered', async () => {
    server = await serve(() => {});
    const { host } = server;
    await server.stop();
    server = undefined;
    const { repository, waits } = client(host);
    await expect(repository.manifest('1')).rejects.toMatchObject({
      code: 'REGISTRY_UNREACHABLE',
      message: expect.stringContaining('connection refused'),
    });
    expect(waits).toEqual([]);
  });

  it('a silent registry once more, then says so', async () => {
    server = await serve(() => {});
    const timeouts = { ...SETTINGS.timeouts, response: 50 };
    const { repository, waits } = client(server.host, {}, { timeouts });
    await expect(repository.manifest('1')).rejects.toMatchObject({
      code: 'REGISTRY_UNREACHABLE',
      message: expect.stringContaining('no answer for 0.1 seconds'),
    });
    expect(waits).toHaveLength(1);
  });

  it('ends with the signal', async () => {
    const controller = new AbortController();
    server = await serve(() => controller.abort(new Error('enough')));
    const { repository } = client(server.host, { signal: controller.signal });
    await expect(repository.manifest('1')).rejects.toThrow('enough');
  });

  it('ends with the signal while it waits', async () => {
    const controller = new AbortController();
    server = await serve((_, response) => say(response, 503));
    const { repository } = client(
      server.host,
      { signal: controller.signal, onRetry: () => controller.abort(new Error('enough')) },
      { wait: SETTINGS.wait },
    );
    await expect(repository.manifest('1')).rejects.toThrow('enough');
  });
});

describe('parseRetryAfter', () => {
  const now = Date.parse('2026-01-02T03:04:05Z');

  it.each([
    ['0', 0],
    ['120', 120_000],
    [' 5 ', 5000],
    ['Fri, 02 Jan 2026 03:04:15 GMT', 10_000],
    ['Friday, 02-Jan-26 03:04:15 GMT', 10_000],
    ['Fri Jan  2 03:04:15 2026', 10_000],
    ['Fri, 02 Jan 2026 03:04:00 GMT', 0],
    ['-1', undefined],
    ['1.5', undefined],
    ['soon', undefined],
    ['2026-01-02T03:04:15Z', undefined],
    ['99999999999999999999', undefined],
    [undefined, undefined],
  ])('%j', (header, milliseconds) => {
    expect(parseRetryAfter(header, now)).toBe(milliseconds);
  });
});
