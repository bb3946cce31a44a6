import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import type { RegistryOptions } from '../../../../src/image/registry/index.ts';
import { client, digestOf, say, serve, type TestServer } from '../../../fixtures/http-server.ts';

const blob = Buffer.from('0123456789'.repeat(20));
const descriptor = { digest: digestOf(blob), size: blob.length };

/** The part of a registry that takes one upload, by the specification, and the faults of a test. */
class Uploads {
  received: Buffer = Buffer.alloc(0);
  finished: string | undefined;
  sessions = 0;
  location = (path: string): string => path;
  least: string | undefined;
  /** Called first; true: it has dealt with the request. */
  fault: (request: IncomingMessage, response: ServerResponse, body: Buffer) => boolean = () => false;

  answer(request: IncomingMessage, response: ServerResponse, body: Buffer): void {
    if (this.fault(request, response, body)) return;
    const { method, url = '' } = request;
    const headers: Record<string, string> = {
      location: this.location(`/v2/team/app/blobs/uploads/session${this.sessions}?state=a%2Fb`),
      range: `0-${Math.max(0, this.received.length - 1)}`,
      ...(this.least && { 'oci-chunk-min-length': this.least }),
    };
    if (method === 'POST') {
      this.sessions++;
      this.received = Buffer.alloc(0);
      headers.location = this.location(`/v2/team/app/blobs/uploads/session${this.sessions}?state=a%2Fb`);
      say(response, 202, '', headers);
    } else if (!url.includes(`session${this.sessions}?state=a%2Fb`)) say(response, 404);
    else if (method === 'GET') say(response, 204, '', headers);
    else if (method === 'PATCH') {
      const [, first, last] = /^(\d+)-(\d+)$/.exec(request.headers['content-range'] ?? '') ?? [];
      if (Number(first) !== this.received.length || Number(last) !== Number(first) + body.length - 1)
        say(response, 416, '', headers);
      else {
        this.received = Buffer.concat([this.received, body]);
        say(response, 202, '', { ...headers, range: `0-${this.received.length - 1}` });
      }
    } else if (method === 'PUT') {
      this.finished = new URL(url, 'http://x').searchParams.get('digest') ?? '';
      say(response, digestOf(this.received) === this.finished ? 201 : 400);
    }
  }
}

describe('an upload', () => {
  const servers: TestServer[] = [];
  afterEach(async () => {
    for (const server of servers.splice(0)) await server.stop();
  });
  const start = async (uploads: Uploads, options: RegistryOptions = {}) => {
    const server = await serve((request, response, body) => uploads.answer(request, response, body));
    servers.push(server);
    return { server, ...client(server.host, options) };
  };
  /** In pieces that fit nothing. */
  const read = (offset: number, content = blob) =>
    (async function* () {
      for (let at = offset; at < content.length; at += 7)
        yield content.subarray(at, Math.min(at + 7, content.length));
    })();

  it('opens a session, sends, and ends with the digest', async () => {
    const uploads = new Uploads();
    const { server, repository } = await start(uploads);
    const progress: number[] = [];
    await repository.uploadBlob(descriptor, read, (sent) => progress.push(sent));
    expect(uploads.received).toEqual(blob);
    expect(uploads.finished).toBe(descriptor.digest);
    expect(server.asked).toEqual([
      'POST /v2/team/app/blobs/uploads/',
      'PATCH /v2/team/app/blobs/uploads/session1?state=a%2Fb',
      `PUT /v2/team/app/blobs/uploads/session1?state=a%2Fb&digest=${encodeURIComponent(descriptor.digest)}`,
    ]);
    expect(progress.at(-1)).toBe(blob.length);
    expect(progress).toEqual([...progress].sort((a, b) => a - b));
  });

  it('of nothing', async () => {
    const uploads = new Uploads();
    const { server, repository } = await start(uploads);
    await repository.uploadBlob({ digest: digestOf(''), size: 0 }, () => read(blob.length));
    expect(server.asked.map((line) => line.split(' ')[0])).toEqual(['POST', 'PUT']);
  });

  it('goes to an absolute address', async () => {
    const uploads = new Uploads();
    const { server, repository } = await start(uploads);
    uploads.location = (path) => `${server.url}${path}`;
    await repository.uploadBlob(descriptor, read);
    expect(uploads.received).toEqual(blob);
  });

  it('to another server takes no credentials along', async () => {
    const uploads = new Uploads();
    const storage = await start(uploads);
    const registry = await serve((request, response) =>
      request.headers.authorization === undefined
        ? say(response, 401, '', { 'www-authenticate': 'Basic realm="x"' })
        : say(response, 202, '', { location: `${storage.server.url}/session0?state=a%2Fb` }),
    );
    servers.push(registry);
    const { repository } = client(registry.host, { credentials: { username: 'me', password: 'x' } });
    await repository.uploadBlob(descriptor, read);
    expect(uploads.received).toEqual(blob);
    for (const headers of storage.server.headers) expect(headers).not.toHaveProperty('authorization');
  });

  it('goes on where the registry has got to', async () => {
    for (const kept of [1, 50, 199, 200]) {
      const uploads = new Uploads();
      let broken = false;
      uploads.fault = (request, _, body) => {
        if (request.method !== 'PATCH' || broken) return false;
        broken = true;
        uploads.received = body.subarray(0, kept);
        request.socket.destroy();
        return true;
      };
      const { server, repository, waits } = await start(uploads);
      const offsets: number[] = [];
      await repository.uploadBlob(descriptor, (offset) => {
        offsets.push(offset);
        return read(offset);
      });
      expect(uploads.received).toEqual(blob);
      expect(waits.length).toBeGreaterThan(0);
      if (kept === 50) expect(offsets).toEqual([0, 50]);
      // `0-0` may be one byte or none; 416 says which, and then it begins anew.
      expect(uploads.sessions).toBe(kept === 1 ? 2 : 1);
      expect(server.asked).toContain('GET /v2/team/app/blobs/uploads/session1?state=a%2Fb');
    }
  });

  it('begins anew where the session is gone', async () => {
    const uploads = new Uploads();
    uploads.fault = (request, response) => {
      if (request.method !== 'PATCH' || uploads.sessions > 1) return false;
      say(response, 404, '{"errors":[{"code":"BLOB_UPLOAD_UNKNOWN"}]}');
      return true;
    };
    const { repository } = await start(uploads);
    await repository.uploadBlob(descriptor, read);
    expect(uploads.received).toEqual(blob);
    expect(uploads.sessions).toBe(2);
  });

  it('begins anew where the registry broke at the end', async () => {
    const uploads = new Uploads();
    let puts = 0;
    uploads.fault = (request, response) => {
      if (request.method !== 'PUT' || puts++ > 0) return false;
      say(response, 500);
      return true;
    };
    const { repository } = await start(uploads);
    await repository.uploadBlob(descriptor, read);
    expect(uploads.finished).toBe(descriptor.digest);
    expect(puts).toBe(2);
  });

  it('does not go on for ever', async () => {
    const uploads = new Uploads();
    uploads.fault = (request) => {
      if (request.method !== 'PATCH') return false;
      request.socket.destroy();
      return true;
    };
    const { repository, waits } = await start(uploads);
    await expect(repository.uploadBlob(descriptor, read)).rejects.toMatchObject({
      code: 'REGISTRY_UNREACHABLE',
    });
    expect(waits).toHaveLength(5);
  });

  it('that is refused while it is sent says why', async () => {
    const large = { digest: digestOf('x'), size: 64 << 20 };
    // Answers without having read the body.
    const strict = createServer((request, response) => {
      if (request.method === 'POST') say(response, 202, '', { location: '/upload' });
      else say(response, 413, '{"errors":[{"code":"SIZE_INVALID"}]}', { connection: 'close' });
    });
    strict.listen(0, '127.0.0.1');
    await once(strict, 'listening');
    const { port } = strict.address() as AddressInfo;
    const { repository } = client(`127.0.0.1:${port}`);
    let given = 0;
    const endless = async function* () {
      for (given = 0; ; given += 65536) yield Buffer.alloc(65536);
    };
    // The connection may break before the answer is read; either is said, and it ends.
    await expect(repository.uploadBlob(large, endless)).rejects.toMatchObject({
      code: expect.stringMatching(/REGISTRY_FAILED|REGISTRY_UNREACHABLE/),
    });
    // What fits into the buffers on the way, not the whole piece.
    expect(given).toBeLessThan(30 << 20);
    strict.closeAllConnections();
    strict.close();
  });

  it('of a file that cannot be read says that, and is not tried again', async () => {
    const uploads = new Uploads();
    const { repository, waits } = await start(uploads);
    const failing = async function* (): AsyncGenerator<Buffer> {
      yield blob.subarray(0, 10);
      throw new Error('the disk is gone');
    };
    await expect(repository.uploadBlob(descriptor, failing)).rejects.toThrow('the disk is gone');
    expect(waits).toEqual([]);
  });

  it('of a file that became shorter is an error', async () => {
    const { repository } = await start(new Uploads());
    const upload = repository.uploadBlob(descriptor, (offset) => read(offset, blob.subarray(0, 100)));
    await expect(upload).rejects.toMatchObject({ code: 'BAD_BLOB' });
  });

  it('in pieces as large as the registry wants', async () => {
    const uploads = new Uploads();
    uploads.least = String(40 << 20);
    const large = Buffer.alloc(41 << 20, 'x');
    const { server, repository } = await start(uploads);
    await repository.uploadBlob({ digest: digestOf(large), size: large.length }, async function* (offset) {
      yield large.subarray(offset);
    });
    const ranges = server.headers.flatMap((headers) => headers['content-range'] ?? []);
    expect(ranges).toEqual([`0-${(40 << 20) - 1}`, `${40 << 20}-${(41 << 20) - 1}`]);
  });
});

describe('a mount', () => {
  let server: TestServer;
  afterEach(() => server.stop());

  it('asks for the blob of another repository', async () => {
    server = await serve((_, response) => say(response, 201, '', { location: '/x' }));
    const { repository } = client(server.host);
    expect(await repository.mountBlob(descriptor.digest, 'other/app')).toBe(true);
    const query = `mount=${encodeURIComponent(descriptor.digest)}&from=other%2Fapp`;
    expect(server.asked).toEqual([`POST /v2/team/app/blobs/uploads/?${query}`]);
  });

  it('that is not done leaves a session, which the upload uses', async () => {
    const uploads = new Uploads();
    server = await serve((request, response, body) => uploads.answer(request, response, body));
    const { repository } = client(server.host);
    expect(await repository.mountBlob(descriptor.digest, 'other/app')).toBe(false);
    await repository.uploadBlob(descriptor, async function* (offset) {
      yield blob.subarray(offset);
    });
    expect(uploads.received).toEqual(blob);
    expect(uploads.sessions).toBe(1);
  });

  it.each([400, 401, 403, 404, 405])('that is refused with %i is not done', async (status) => {
    server = await serve((_, response) => say(response, status));
    const { repository } = client(server.host);
    expect(await repository.mountBlob(descriptor.digest, 'other/app')).toBe(false);
  });
});

describe('hasBlob', () => {
  it.each([
    [200, true],
    [404, false],
  ])('of %i is %s', async (status, has) => {
    const server = await serve((_, response) => say(response, status));
    const { repository } = client(server.host);
    expect(await repository.hasBlob(descriptor.digest)).toBe(has);
    expect(server.asked).toEqual([`HEAD /v2/team/app/blobs/${descriptor.digest}`]);
    await server.stop();
  });
});
