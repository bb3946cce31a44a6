import { setMaxListeners } from 'node:events';
import { TsboxError } from '../../kernel/index.ts';
import type { Reference } from '../reference.ts';
import { downloadBlob } from './blobs.ts';
import { hashFor } from './digest.ts';
import { Endpoint } from './endpoint.ts';
import { Refusal } from './failure.ts';
import { hostsOf } from './hosts.ts';
import { Connections, discard } from './http/index.ts';
import { getManifest, type Place, putManifest, resolveManifest } from './manifests.ts';
import { SETTINGS, type Settings } from './settings.ts';
import type { RegistryOptions, Repository } from './types.ts';
import { mountBlob, type Session, uploadBlob } from './uploads.ts';

/**
 * A repository of a registry, and of its mirrors. Nothing is asked of them until a method is called.
 *
 * @param settings for tests and unusual networks
 * @throws {TsboxError} BAD_REGISTRIES, where the file with the mirrors cannot be read
 */
export function openRepository(
  reference: Pick<Reference, 'registry' | 'path'>,
  options: RegistryOptions = {},
  settings: Partial<Settings> = {},
): Repository {
  const all = { ...SETTINGS, ...settings };
  // Each request that is under way listens to it, and Node warns of more than ten.
  if (options.signal !== undefined) setMaxListeners(0, options.signal);
  const connections = new Connections(all);
  const places = hostsOf(reference.registry, options, all).map((host): Place => {
    const name = `${host.registry}/${host.prefix}${reference.path}`;
    return {
      endpoint: new Endpoint(host, connections, all, options),
      path: `${host.prefix}${reference.path}`,
      name,
    };
  });
  const registry = places.at(-1) as Place;
  /** Sessions that a registry opened in place of mounting. */
  const begun = new Map<string, Session>();
  return {
    name: registry.name,
    resolve: (wanted) =>
      firstOf(places, async (place) => {
        const found = await resolveManifest(place, wanted);
        // A mirror need not have everything.
        if (found === undefined && place !== registry) throw new TsboxError('NOT_FOUND', 'not in the mirror');
        return found;
      }),
    manifest: (wanted) => firstOf(places, (place) => getManifest(place, wanted)),
    blob: (descriptor) => downloadBlob(places, descriptor),
    hasBlob: (digest) => hasBlob(registry, digest),
    async mountBlob(digest, fromPath) {
      const session = await mountBlob(registry, digest, fromPath).catch((error: unknown) => {
        // Who may not read there, and who does not know of mounting: then it is sent.
        if (error instanceof Refusal && error.status < 500 && error.status !== 429) return 'no' as const;
        throw error;
      });
      if (session === undefined) return true;
      if (session !== 'no') begun.set(digest, session);
      return false;
    },
    async uploadBlob(descriptor, open, onProgress) {
      const session = begun.get(descriptor.digest);
      begun.delete(descriptor.digest);
      await uploadBlob(registry, descriptor, open, onProgress, session);
    },
    putManifest: (wanted, mediaType, bytes) => putManifest(registry, wanted, mediaType, bytes),
    close: () => connections.close(),
  };
}

/** The answer of the first mirror that has one, otherwise the registry's own. */
async function firstOf<T>(places: readonly Place[], ask: (place: Place) => Promise<T>): Promise<T> {
  for (const place of places.slice(0, -1)) {
    try {
      return await ask(place);
    } catch (error) {
      if (!(error instanceof TsboxError)) throw error;
    }
  }
  return await ask(places.at(-1) as Place);
}

async function hasBlob(place: Place, digest: string): Promise<boolean> {
  hashFor(digest);
  const response = await place.endpoint.request({
    method: 'HEAD',
    path: `${place.path}/blobs/${digest}`,
    // It is asked before pushing: one token for both.
    scopes: [`repository:${place.path}:pull,push`],
    what: `${place.name}: blob ${digest.slice(7, 19)}`,
    accept: [404],
    checked: true,
  });
  await discard(response);
  return response.status !== 404;
}
