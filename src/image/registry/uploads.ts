import { TsboxError } from '../../kernel/index.ts';
import { hashFor } from './digest.ts';
import { Refusal } from './failure.ts';
import { discard, type HttpResponse } from './http/index.ts';
import type { Place } from './manifests.ts';
import type { Retry } from './retry.ts';
import type { BlobDescriptor } from './types.ts';

/** An upload that the registry has opened: where the next piece goes, which changes with each. */
export interface Session {
  url: URL;
  /** How many bytes it has. */
  offset: number;
  /** The least that a piece may have, but for the last: OCI-Chunk-Min-Length. */
  least: number;
}

/**
 * Sends a blob: POST opens a session, PATCH adds pieces, PUT with the digest ends it. OCI distribution specification, "Pushing a blob in
 * chunks". After a broken connection the registry is asked how far it got; where it has forgotten, everything is sent again.
 */
export async function uploadBlob(
  place: Place,
  descriptor: BlobDescriptor,
  read: (offset: number) => AsyncIterable<Buffer>,
  onProgress: (sent: number) => void = () => {},
  begun?: Session,
): Promise<void> {
  hashFor(descriptor.digest);
  const retry = place.endpoint.retry();
  let session = begun;
  let furthest = 0;
  for (;;) {
    try {
      session ??= await openSession(place);
      while (session.offset < descriptor.size) {
        await sendPiece(place, descriptor, session, read, onProgress);
        // Only what was never there before is progress: a registry that forgets each time would keep us busy forever.
        if (session.offset > furthest) {
          furthest = session.offset;
          retry.reset();
        }
      }
      return await finish(place, descriptor, session);
    } catch (error) {
      session = await recover(place, session, error, retry);
      onProgress(session?.offset ?? 0);
    }
  }
}

/** Asks for another repository's blob. @returns a session to send it with, where the registry does not do it; undefined where it did */
export async function mountBlob(place: Place, digest: string, from: string): Promise<Session | undefined> {
  hashFor(digest);
  const query = new URLSearchParams({ mount: digest, from });
  const response = await place.endpoint.request({
    method: 'POST',
    path: `${place.path}/blobs/uploads/?${query}`,
    scopes: [...scopesOf(place), `repository:${from}:pull`],
    headers: { 'content-length': '0' },
    what: `${place.name}: mount of ${digest.slice(7, 19)}`,
  });
  await discard(response);
  return response.status === 201 ? undefined : sessionOf(place, response);
}

async function openSession(place: Place): Promise<Session> {
  const response = await place.endpoint.try({
    method: 'POST',
    path: `${place.path}/blobs/uploads/`,
    scopes: scopesOf(place),
    headers: { 'content-length': '0' },
    what: `${place.name}: upload`,
  });
  await discard(response);
  return sessionOf(place, response);
}

async function sendPiece(
  place: Place,
  descriptor: BlobDescriptor,
  session: Session,
  read: (offset: number) => AsyncIterable<Buffer>,
  onProgress: (sent: number) => void,
): Promise<void> {
  const { offset } = session;
  const end = Math.min(descriptor.size, offset + Math.max(PIECE, session.least));
  const response = await place.endpoint.try({
    method: 'PATCH',
    path: session.url,
    scopes: scopesOf(place),
    headers: {
      'content-type': 'application/octet-stream',
      'content-length': String(end - offset),
      'content-range': `${offset}-${end - 1}`,
    },
    body: () => piece(read(offset), offset, end, onProgress),
    what: `${place.name}: upload of ${descriptor.digest.slice(7, 19)}`,
  });
  await discard(response);
  session.url = locationOf(place, response) ?? session.url;
  session.offset = Math.min(rangeOf(response) ?? end, end);
}

async function finish(place: Place, descriptor: BlobDescriptor, session: Session): Promise<void> {
  const url = new URL(session.url);
  // Appended, and the rest left as it is: what a registry has in there it may have signed.
  url.search = `${url.search === '' ? '?' : `${url.search}&`}digest=${encodeURIComponent(descriptor.digest)}`;
  const response = await place.endpoint.try({
    method: 'PUT',
    path: url,
    scopes: scopesOf(place),
    headers: { 'content-length': '0' },
    what: `${place.name}: upload of ${descriptor.digest.slice(7, 19)}`,
  });
  await discard(response);
}

/** Where to go on. @returns undefined: from the start */
async function recover(
  place: Place,
  session: Session | undefined,
  error: unknown,
  retry: Retry,
): Promise<Session | undefined> {
  const forgotten = error instanceof Refusal && (error.status === 404 || error.status === 416);
  await place.endpoint.wait(retry, forgotten ? passing(error) : error, `${place.name}: upload`);
  if (session === undefined || (error instanceof Refusal && error.status === 404)) return undefined;
  try {
    const response = await place.endpoint.try({
      method: 'GET',
      path: session.url,
      scopes: scopesOf(place),
      what: `${place.name}: upload`,
    });
    await discard(response);
    const offset = rangeOf(response);
    // After a 416, what it says now is what it refused.
    if (offset === undefined || (forgotten && offset === session.offset)) return undefined;
    return { url: locationOf(place, response) ?? session.url, offset, least: session.least };
  } catch {
    return undefined;
  }
}

/** The session is gone, which a new one remedies. */
function passing(error: Refusal): Refusal {
  return new Refusal(error.code, error.message, { status: 503, advice: error.advice });
}

/** Exactly the bytes from `offset` up to `end`, whatever the source gives. */
async function* piece(
  chunks: AsyncIterable<Buffer>,
  offset: number,
  end: number,
  onProgress: (sent: number) => void,
): AsyncGenerator<Buffer> {
  let at = offset;
  for await (const chunk of chunks) {
    const wanted = chunk.length > end - at ? chunk.subarray(0, end - at) : chunk;
    at += wanted.length;
    yield wanted;
    onProgress(at);
    if (at === end) return;
  }
  throw new TsboxError('BAD_BLOB', `what is to be sent has ${at} bytes, where it should have ${end} or more`);
}

function sessionOf(place: Place, response: HttpResponse): Session {
  const url = locationOf(place, response);
  if (url === undefined)
    throw new TsboxError('REGISTRY_FAILED', `${place.name}: the registry does not say where to upload to`);
  const least = Number(response.headers['oci-chunk-min-length'] ?? 0);
  return { url, offset: 0, least: Number.isSafeInteger(least) ? least : 0 };
}

/** Absolute, or relative to what was asked. RFC 9110, section 10.2.2. */
function locationOf(place: Place, response: HttpResponse): URL | undefined {
  const { location } = response.headers;
  if (location === undefined) return undefined;
  const url = URL.canParse(location, response.url.href) ? new URL(location, response.url) : undefined;
  const known =
    url?.protocol === 'https:' || (url?.protocol === 'http:' && response.url.protocol === 'http:');
  if (url !== undefined && known) return url;
  throw new TsboxError(
    'REGISTRY_FAILED',
    `${place.name}: the registry wants the upload sent to a place that will not do`,
  );
}

/** `0-9` for ten bytes. `0-0`, which should be one, is also what docker-registry says of none: then 0 is safe, since 416 tells. */
function rangeOf(response: HttpResponse): number | undefined {
  const last = /^(?:bytes=)?0-(\d+)$/.exec(`${response.headers.range ?? ''}`)?.[1];
  if (last === undefined) return undefined;
  return last === '0' ? 0 : Number(last) + 1;
}

function scopesOf(place: Place): string[] {
  return [`repository:${place.path}:pull,push`];
}

/** Each piece costs a round trip, and what a registry that cannot resume within one has to be sent again. */
const PIECE = 32 << 20;
