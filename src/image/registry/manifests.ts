import { TsboxError } from '../../kernel/index.ts';
import { digestOf, isDigest } from './digest.ts';
import type { Endpoint } from './endpoint.ts';
import { Refusal } from './failure.ts';
import { discard, type HttpResponse, readBody } from './http/index.ts';
import { parseJsonObject } from './json.ts';
import type { Manifest } from './types.ts';

/** One repository at one server. */
export interface Place {
  endpoint: Endpoint;
  /** At that server: with the prefix that a mirror may have. */
  path: string;
  /** `docker.io/library/alpine`, for messages. */
  name: string;
}

/** HEAD: what a tag or digest stands for, undefined where there is none. */
export async function resolveManifest(
  place: Place,
  reference: string,
): Promise<{ digest: string; mediaType: string; size: number } | undefined> {
  const response = await ask(place, reference, 'HEAD');
  await discard(response);
  if (response.status === 404) return undefined;
  const digest = header(response, 'docker-content-digest');
  const size = Number(response.headers['content-length'] ?? Number.NaN);
  if (digest !== undefined && isDigest(digest) && Number.isSafeInteger(size)) {
    if (isDigest(reference) && reference !== digest)
      throw bad(place, reference, `the registry says it is ${digest}`);
    return { digest, mediaType: mediaTypeOf(response), size };
  }
  // The header is a "should" of the specification: who does not send it has to send the manifest.
  const manifest = await getManifest(place, reference);
  return { digest: manifest.digest, mediaType: manifest.mediaType, size: manifest.bytes.length };
}

/** GET, with everything checked that can be. */
export async function getManifest(place: Place, reference: string): Promise<Manifest> {
  const response = await ask(place, reference, 'GET');
  if (response.status === 404) {
    await discard(response);
    throw new TsboxError('MANIFEST_NOT_FOUND', `${named(place, reference)}: not found in the registry`, {
      advice: 'check the name and the tag',
    });
  }
  const bytes = await readBody(response, MANIFEST_BYTES);
  if (bytes === undefined)
    throw bad(place, reference, `its manifest is larger than ${MANIFEST_BYTES >> 20} MiB`);
  const mediaType = mediaTypeOf(response);
  if (mediaType === 'text/html') throw bad(place, reference, 'a web page came in place of a manifest');
  const said = parseJsonObject(bytes);
  if (said === undefined)
    throw bad(place, reference, 'its manifest is no JSON object, or nested without end');
  const digest = digestOf(bytes, reference);
  if (isDigest(reference) && digest !== reference)
    throw bad(place, reference, `what came has the digest ${digest}`);
  const declared = header(response, 'docker-content-digest');
  if (declared !== undefined && isDigest(declared) && digestOf(bytes, declared) !== declared)
    throw bad(place, reference, `what came is not what the registry says it is: ${declared}`);
  return { mediaType: agreed(place, reference, mediaType, said.mediaType), digest, bytes };
}

/** PUT. @returns the digest */
export async function putManifest(
  place: Place,
  reference: string,
  mediaType: string,
  bytes: Buffer,
): Promise<string> {
  const digest = digestOf(bytes, reference);
  if (isDigest(reference) && digest !== reference)
    throw new TsboxError('BAD_DIGEST', `a manifest with the digest ${digest} cannot be sent as ${reference}`);
  const response = await place.endpoint.request({
    method: 'PUT',
    path: pathOf(place, reference),
    scopes: [`repository:${place.path}:pull,push`],
    headers: { 'content-type': mediaType, 'content-length': String(bytes.length) },
    body: async function* () {
      yield bytes;
    },
    what: named(place, reference),
  });
  await discard(response);
  const stored = header(response, 'docker-content-digest');
  if (stored !== undefined && isDigest(stored) && digestOf(bytes, stored) !== stored)
    throw bad(place, reference, `the registry has stored something else than it was sent: ${stored}`);
  return digest;
}

async function ask(place: Place, reference: string, method: 'GET' | 'HEAD'): Promise<HttpResponse> {
  const request = {
    method,
    path: pathOf(place, reference),
    scopes: [`repository:${place.path}:pull`],
    headers: { accept: ACCEPT, 'accept-encoding': 'identity' },
    what: named(place, reference),
    accept: [404],
    checked: isDigest(reference),
  };
  try {
    return await place.endpoint.request(request);
  } catch (error) {
    // A HEAD's refusal has no body that says why.
    if (method === 'HEAD' && error instanceof Refusal && error.status < 500 && error.status !== 429) {
      const response = await place.endpoint.request({ ...request, method: 'GET' });
      await discard(response);
    }
    throw error;
  }
}

/** A tag or digest is part of a URL here: whatever else it is, it must not be more of the path. */
function pathOf(place: Place, reference: string): string {
  if (!/^[A-Za-z0-9_][A-Za-z0-9_.:-]*$/.test(reference))
    throw new TsboxError('BAD_REFERENCE', `${JSON.stringify(reference)} is neither a tag nor a digest`);
  return `${place.path}/manifests/${reference}`;
}

/**
 * The type by the header and by the manifest itself. Where they differ, one reader would see an index and another a manifest
 * in the same bytes, with the same digest (CVE-2021-41190).
 */
function agreed(place: Place, reference: string, header: string, said: unknown): string {
  const inside = typeof said === 'string' ? said.toLowerCase() : undefined;
  if (!header.startsWith('application/vnd.')) return inside ?? header;
  if (inside !== undefined && inside !== header)
    throw bad(
      place,
      reference,
      `the registry says it is ${header}, and the manifest that it is ${inside.slice(0, 100)}`,
    );
  return header;
}

function mediaTypeOf(response: HttpResponse): string {
  return (response.headers['content-type'] ?? '').split(';')[0]?.trim().toLowerCase() ?? '';
}

function header(response: HttpResponse, name: string): string | undefined {
  const value = response.headers[name];
  return typeof value === 'string' ? value.trim() : undefined;
}

function named(place: Place, reference: string): string {
  return `${place.name}${isDigest(reference) ? '@' : ':'}${reference}`;
}

function bad(place: Place, reference: string, message: string): TsboxError {
  return new TsboxError('BAD_MANIFEST', `${named(place, reference)}: ${message}`);
}

const MANIFEST_BYTES = 4 << 20;

const ACCEPT = [
  'application/vnd.oci.image.index.v1+json',
  'application/vnd.oci.image.manifest.v1+json',
  'application/vnd.docker.distribution.manifest.list.v2+json',
  'application/vnd.docker.distribution.manifest.v2+json',
].join(', ');
