import type { ServerResponse } from 'node:http';
import { afterEach, describe, expect, it } from 'vitest';
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
import { Random } from '../../../fixtures/random.ts';

const random = new Random(7);
const blob = Buffer.from(Array.from({ length: 300 }, () => random.below(256)));
const descriptor = { digest: digestOf(blob), size: blob.length };

describe('a blob', () => {
  let server: TestServer | undefined;
  afterEach(async () => {
    await server?.stop();
    server = undefined;
  });
  const start = async (answer: Answer) => {
    server = await serve(answer);
    return client(server.host);
  };

  it('comes whole', async () => {
    const { repository } = await start((_, response) => say(response, 200, blob));
    expect(await collect(repository.blob(descriptor))).toEqual(blob);
    expect(server?.asked).toEqual([`GET /v2/team/app/blobs/${descriptor.digest}`]);
  });

  it('may be empty', async () => {
    const { repository } = await start((_, response) => say(response, 200));
    expect(await collect(repository.blob({ digest: digestOf(''), size: 0 }))).toEqual(Buffer.alloc(0));
  });

  it('may have a SHA-512', async () => {
    const { repository } = await start((_, response) => say(response, 200, blob));
    const digest = digestOf(blob, 'sha512');
    expect(await collect(repository.blob({ digest, size: blob.length }))).toEqual(blob);
    const wrong = repository.blob({ digest: digestOf('other', 'sha512'), size: blob.length });
    await expect(collect(wrong)).rejects.toMatchObject({ code: 'BAD_BLOB' });
  });

  it.each(['md5:d41d8cd98f00b204e9800998ecf8427e', 'sha256:../../x', 'sha256:ABC', ''])(
    'cannot have the digest %j',
    async (digest) => {
      const { repository } = await start((_, response) => say(response, 200, blob));
      await expect(collect(repository.blob({ digest, size: 1 }))).rejects.toMatchObject({
        code: 'BAD_DIGEST',
      });
      expect(server?.asked).toEqual([]);
    },
  );

  it('goes on after a connection that broke at any byte', async () => {
    let cut = 0;
    let whole = false;
    const { repository, retries } = await start((request, response) => {
      const from = startOf(request.headers.range);
      if (!whole) cutAfter(response, cut);
      else if (from === undefined) say(response, 200, blob);
      else part(response, from);
      whole = !whole;
    });
    for (cut = 0; cut < blob.length; cut++) {
      expect(await collect(repository.blob(descriptor)), `cut after ${cut}`).toEqual(blob);
    }
    expect(retries).toHaveLength(blob.length);
    // Nothing twice: each second request begins where the first broke. For 0 that is the start.
    const ranges = server?.headers.flatMap(({ range }) => range ?? []);
    expect(ranges).toEqual(Array.from({ length: blob.length - 1 }, (_, index) => `bytes=${index + 1}-`));
  }, 60_000);

  it('goes on where the server ignores Range, without what is there', async () => {
    let tries = 0;
    const { repository } = await start((_, response) =>
      ++tries === 1 ? cutAfter(response, 123) : say(response, 200, blob),
    );
    expect(await collect(repository.blob(descriptor))).toEqual(blob);
    expect(server?.headers[1]?.range).toBe('bytes=123-');
  });

  it('goes on where the server begins earlier than it was asked to', async () => {
    let tries = 0;
    const { repository } = await start((_, response) =>
      ++tries === 1 ? cutAfter(response, 123) : part(response, 100),
    );
    expect(await collect(repository.blob(descriptor))).toEqual(blob);
  });

  it.each<[string, (response: ServerResponse) => void]>([
    ['416', (response) => say(response, 416)],
    ['a range that begins later', (response) => part(response, 200)],
    ['206 without a range', (response) => say(response, 206, blob.subarray(123))],
    ['206 with nonsense', (response) => say(response, 206, blob, { 'content-range': 'bytes x-y/z' })],
  ])('begins again after %s', async (_, refuse) => {
    let tries = 0;
    const { repository } = await start((request, response) => {
      if (++tries === 1) cutAfter(response, 123);
      else if (request.headers.range === undefined) say(response, 200, blob);
      else refuse(response);
    });
    expect(await collect(repository.blob(descriptor))).toEqual(blob);
    expect(server?.headers.map(({ range }) => range)).toEqual([undefined, 'bytes=123-', undefined]);
  });

  it('is given up where nothing more comes', async () => {
    let tries = 0;
    const { repository, waits } = await start((request, response) => {
      tries++;
      cutAfter(response, 1, startOf(request.headers.range));
    });
    await expect(collect(repository.blob(descriptor))).rejects.toMatchObject({
      code: 'REGISTRY_UNREACHABLE',
      message: expect.stringContaining('broke off'),
    });
    // A byte a connection is no progress.
    expect(tries).toBe(6);
    expect(waits).toHaveLength(5);
  });

  it('is not given up while it comes', async () => {
    const large = Buffer.alloc(1 << 20, 'x');
    const { repository, waits } = await start((request, response) => {
      const from = startOf(request.headers.range) ?? 0;
      const status = from === 0 ? 200 : 206;
      const range = `bytes ${from}-${large.length - 1}/${large.length}`;
      response.writeHead(status, { 'content-length': String(large.length - from), 'content-range': range });
      const end = from + 65536 + 1000;
      if (end >= large.length) response.end(large.subarray(from));
      else response.write(large.subarray(from, end), () => setTimeout(() => response.destroy(), 5));
    });
    const got = await collect(repository.blob({ digest: digestOf(large), size: large.length }));
    expect(got.equals(large)).toBe(true);
    expect(waits.length).toBeGreaterThan(6);
  });

  it('with another content is refused', async () => {
    const { repository } = await start((_, response) => say(response, 200, Buffer.alloc(blob.length)));
    await expect(collect(repository.blob(descriptor))).rejects.toMatchObject({
      code: 'BAD_BLOB',
      message: expect.stringContaining(digestOf(Buffer.alloc(blob.length))),
    });
    expect(server?.asked).toHaveLength(1);
  });

  it.each([-1, 1])('with a length that is wrong by %i is refused before it comes', async (difference) => {
    const { repository } = await start((_, response) => {
      response.writeHead(200, { 'content-length': String(blob.length + difference) });
      response.flushHeaders();
    });
    await expect(collect(repository.blob(descriptor))).rejects.toMatchObject({
      code: 'BAD_BLOB',
      message: expect.stringContaining(
        `has ${blob.length + difference} bytes at the registry, where it should have 300`,
      ),
    });
  });

  it('that ends early by its own account is refused', async () => {
    const { repository } = await start((_, response) => {
      response.writeHead(200);
      response.write(blob.subarray(0, 100));
      response.end();
    });
    await expect(collect(repository.blob(descriptor))).rejects.toMatchObject({
      code: 'BAD_BLOB',
      message: expect.stringContaining('100 bytes, where it should have 300'),
    });
  });

  it('that never ends is cut after its size', async () => {
    let closed: () => void;
    const over = new Promise<void>((resolve) => {
      closed = resolve;
    });
    const { repository } = await start((_, response) => {
      response.writeHead(200);
      response.write(blob);
      const more = () => {
        while (!response.destroyed)
          if (!response.write(Buffer.alloc(65536))) return void response.once('drain', more);
      };
      response.on('close', () => closed());
      more();
    });
    await expect(collect(repository.blob(descriptor))).rejects.toMatchObject({
      code: 'BAD_BLOB',
      message: expect.stringContaining('more than the 300 bytes'),
    });
    await over;
  });

  it('that stands still is asked for again, then given up', async () => {
    server = await serve((request, response) => {
      const from = startOf(request.headers.range) ?? 0;
      response.writeHead(from === 0 ? 200 : 206, {
        'content-length': String(blob.length - from),
        'content-range': `bytes ${from}-299/300`,
      });
      response.write(blob.subarray(from, from + 10));
    });
    const timeouts = { ...SETTINGS.timeouts, idle: 100 };
    const { repository, waits } = client(server.host, {}, { timeouts });
    await expect(collect(repository.blob(descriptor))).rejects.toMatchObject({
      code: 'REGISTRY_UNREACHABLE',
      message: expect.stringContaining('nothing came for 0.1 seconds'),
    });
    expect(server.headers.map(({ range }) => range)).toEqual([undefined, 'bytes=10-']);
    expect(waits).toHaveLength(1);
  });

  it('may be slow, and its reader slower', async () => {
    server = await serve((_, response) => say(response, 200, Buffer.alloc(8 << 20)));
    const timeouts = { ...SETTINGS.timeouts, idle: 150 };
    const { repository } = client(server.host, {}, { timeouts });
    let read = 0;
    for await (const chunk of repository.blob({ digest: digestOf(Buffer.alloc(8 << 20)), size: 8 << 20 })) {
      if (read === 0) await new Promise((resolve) => setTimeout(resolve, 600));
      read += chunk.length;
    }
    expect(read).toBe(8 << 20);
    expect(server.asked).toHaveLength(1);
  });

  it('that is not there is said so', async () => {
    const { repository } = await start((_, response) => say(response, 404));
    await expect(collect(repository.blob(descriptor))).rejects.toMatchObject({ code: 'BLOB_NOT_FOUND' });
  });

  it('closes its connection where the reader stops', async () => {
    let closed: () => void;
    const over = new Promise<void>((resolve) => {
      closed = resolve;
    });
    const size = 64 << 20;
    const { repository } = await start((_, response) => {
      response.on('close', () => closed());
      response.writeHead(200, { 'content-length': String(size) });
      response.write(Buffer.alloc(1 << 20));
    });
    for await (const chunk of repository.blob({ digest: digestOf(''), size })) {
      expect(chunk.length).toBeGreaterThan(0);
      break;
    }
    await over;
  });

  it('leaves its connection to the next', async () => {
    const ports = new Set<number | undefined>();
    const { repository } = await start((request, response) => {
      ports.add(request.socket.remotePort);
      say(response, 200, blob);
    });
    for (let round = 0; round < 5; round++) await collect(repository.blob(descriptor));
    expect(ports.size).toBe(1);
  });
});

function startOf(range: string | undefined): number | undefined {
  return range === undefined ? undefined : Number(/^bytes=(\d+)-$/.exec(range)?.[1]);
}

function part(response: ServerResponse, from: number): void {
  say(response, 206, blob.subarray(from), {
    'content-range': `bytes ${from}-${blob.length - 1}/${blob.length}`,
  });
}

function cutAfter(response: ServerResponse, bytes: number, from = 0): void {
  response.writeHead(from === 0 ? 200 : 206, {
    'content-length': String(blob.length - from),
    ...(from > 0 && { 'content-range': `bytes ${from}-${blob.length - 1}/${blob.length}` }),
  });
  response.flushHeaders();
  // Ends the connection after what was written has gone out.
  response.write(blob.subarray(from, from + bytes), () => response.socket?.end());
  if (bytes === 0) response.socket?.end();
}
