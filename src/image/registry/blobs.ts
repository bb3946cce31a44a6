import { TsboxError } from '../../kernel/index.ts';
import { hashFor } from './digest.ts';
import { Refusal } from './failure.ts';
import { type HttpResponse, TransportError } from './http/index.ts';
import type { Place } from './manifests.ts';
import type { BlobDescriptor } from './types.ts';

/**
 * A blob, from the first of these places that has it. Where a connection breaks it goes on from the byte that it had got to; where a place
 * fails for good, from the next one.
 */
export async function* downloadBlob(
  places: readonly Place[],
  descriptor: BlobDescriptor,
): AsyncGenerator<Buffer> {
  const hash = hashFor(descriptor.digest);
  const { size } = descriptor;
  let offset = 0;
  for (const [index, place] of places.entries()) {
    const retry = place.endpoint.retry();
    let counted = offset;
    let ranges = true;
    for (;;) {
      try {
        const { body, start, framed } = await open(place, descriptor, ranges ? offset : 0);
        for await (const chunk of from(body, offset - start)) {
          if (offset + chunk.length > size)
            throw bad(place, descriptor, `more than the ${size} bytes that it should have`);
          hash.update(chunk);
          offset += chunk.length;
          yield chunk;
        }
        if (offset === size) return verify(place, descriptor, hash.digest('hex'));
        if (framed) throw bad(place, descriptor, `${offset} bytes, where it should have ${size}`);
        throw brokenOff(place, `it ended after ${offset} of ${size} bytes`);
      } catch (error) {
        if (error instanceof RangeRefused) ranges = false;
        if (offset - counted >= PROGRESS) {
          retry.reset();
          counted = offset;
        }
        try {
          await place.endpoint.wait(retry, error, `${place.name}: blob ${short(descriptor)}`);
        } catch (failure) {
          // With bytes of this place among those that were given away, nobody could say whose are wrong.
          const tainted = failure instanceof TsboxError && failure.code === 'BAD_BLOB' && offset > 0;
          if (index === places.length - 1 || !(failure instanceof TsboxError) || tainted) throw failure;
          break;
        }
      }
    }
  }
}

/** The bytes, which of the blob's the first of them is, and whether the server says itself where they end. */
async function open(
  place: Place,
  descriptor: BlobDescriptor,
  offset: number,
): Promise<{ body: AsyncGenerator<Buffer>; start: number; framed: boolean }> {
  const response = await place.endpoint
    .try({
      method: 'GET',
      path: `${place.path}/blobs/${descriptor.digest}`,
      scopes: [`repository:${place.path}:pull`],
      headers: { 'accept-encoding': 'identity', ...(offset > 0 && { range: `bytes=${offset}-` }) },
      what: `${place.name}: blob ${short(descriptor)}`,
      accept: offset > 0 ? [416] : [],
      checked: true,
    })
    .catch((error: unknown) => {
      if (error instanceof Refusal && error.status === 404)
        throw new TsboxError(
          'BLOB_NOT_FOUND',
          `${place.name}: the registry has no blob ${descriptor.digest}`,
        );
      throw error;
    });
  try {
    const framed = response.headers['transfer-encoding'] !== undefined;
    return { body: response.body, start: startOf(place, response, descriptor, offset), framed };
  } catch (error) {
    response.close();
    throw error;
  }
}

/** The first byte of what comes; and a length that cannot be right need not be waited for. RFC 9110, sections 14.4 and 15.3.7. */
function startOf(place: Place, response: HttpResponse, descriptor: BlobDescriptor, offset: number): number {
  const { size } = descriptor;
  if (response.status === 416) throw new RangeRefused(place);
  if (response.status === 206) {
    const range = /^bytes (\d+)-(\d+)\/(\d+|\*)$/.exec(response.headers['content-range'] ?? '');
    const start = Number(range?.[1]);
    if (range === null || offset === 0 || start > offset) throw new RangeRefused(place);
    if (range[3] !== '*' && Number(range[3]) !== size)
      throw bad(place, descriptor, `${range[3]} bytes at the registry, where it should have ${size}`);
    return start;
  }
  const length = response.headers['content-length'];
  if (length !== undefined && Number(length) !== size)
    throw bad(place, descriptor, `${length} bytes at the registry, where it should have ${size}`);
  return 0;
}

/** Without the first bytes, which are here already. */
async function* from(chunks: AsyncIterable<Buffer>, skip: number): AsyncGenerator<Buffer> {
  let left = skip;
  for await (const chunk of chunks) {
    if (left === 0) yield chunk;
    else if (chunk.length > left) {
      yield chunk.subarray(left);
      left = 0;
    } else left -= chunk.length;
  }
}

function verify(place: Place, descriptor: BlobDescriptor, hex: string): void {
  const digest = `${descriptor.digest.slice(0, 7)}${hex}`;
  if (digest !== descriptor.digest) throw bad(place, descriptor, `content with the digest ${digest}`);
}

function bad(place: Place, descriptor: BlobDescriptor, has: string): TsboxError {
  return new TsboxError('BAD_BLOB', `${place.name}: blob ${descriptor.digest} has ${has}`, {
    advice: 'the registry, or something on the way to it, is broken or lies; nothing of it is kept',
  });
}

function brokenOff(place: Place, message: string): TransportError {
  const error = new TransportError('ECONNRESET', message, { connected: true });
  error.host = place.endpoint.host.address;
  return error;
}

/** The server will not go on where we were: the next try begins at the start and skips. Tried again like a broken connection. */
class RangeRefused extends TransportError {
  constructor(place: Place) {
    super('ERR_RANGE', 'it does not go on in the middle', { connected: true });
    this.host = place.endpoint.host.address;
  }
}

/** As Docker shows it. */
function short(descriptor: BlobDescriptor): string {
  return descriptor.digest.slice(7, 19);
}

/** What has to come between two broken connections for them not to count as two in a row: else one byte at a time would be enough. */
const PROGRESS = 64 * 1024;
