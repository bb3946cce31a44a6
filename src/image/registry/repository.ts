import { createHash } from 'node:crypto';
import { TsboxError } from '../../kernel/index.ts';
import type { Reference } from '../reference.ts';
import type { BlobDescriptor, Manifest, RegistryOptions, Repository } from './types.ts';

/** A repository of a registry. Nothing is asked of the registry until a method is called. */
export function openRepository(reference: Reference, options: RegistryOptions = {}): Repository {
  const name = `${reference.registry}/${reference.path}`;
  const host = reference.registry === 'docker.io' ? 'registry-1.docker.io' : reference.registry;
  const loopback = /^(localhost|127\.[0-9.]+|\[::1\])(:\d+)?$/.test(host);
  const base = `${loopback ? 'http' : 'https'}://${host}/v2/${reference.path}`;
  const get = async (path: string, method = 'GET', headers = {}) =>
    await fetch(`${base}/${path}`, { method, headers, ...(options.signal && { signal: options.signal }) });
  const notYet = () => Promise.reject(new TsboxError('UNSUPPORTED', 'pushing is not supported'));
  return {
    name,
    async resolve(wanted) {
      const response = await get(`manifests/${wanted}`, 'HEAD', { accept: ACCEPT });
      if (response.status === 404) return undefined;
      return {
        digest: response.headers.get('docker-content-digest') ?? '',
        mediaType: response.headers.get('content-type') ?? '',
        size: Number(response.headers.get('content-length')),
      };
    },
    async manifest(wanted): Promise<Manifest> {
      const response = await get(`manifests/${wanted}`, 'GET', { accept: ACCEPT });
      if (!response.ok)
        throw new TsboxError('MANIFEST_NOT_FOUND', `${name}: the registry answers ${response.status}`);
      const bytes = Buffer.from(await response.arrayBuffer());
      const digest = `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
      return { mediaType: response.headers.get('content-type') ?? '', digest, bytes };
    },
    async *blob(descriptor: BlobDescriptor) {
      const response = await get(`blobs/${descriptor.digest}`);
      if (!response.ok || response.body === null)
        throw new TsboxError('BLOB_NOT_FOUND', `${name}: the registry answers ${response.status}`);
      const hash = createHash('sha256');
      for await (const chunk of response.body) {
        hash.update(chunk);
        yield Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
      }
      if (`sha256:${hash.digest('hex')}` !== descriptor.digest)
        throw new TsboxError('BAD_BLOB', `${name}: ${descriptor.digest} has other content`);
    },
    hasBlob: async (digest) => (await get(`blobs/${digest}`, 'HEAD')).ok,
    mountBlob: notYet,
    uploadBlob: notYet,
    putManifest: notYet,
    close() {},
  };
}

const ACCEPT = [
  'application/vnd.oci.image.index.v1+json',
  'application/vnd.oci.image.manifest.v1+json',
  'application/vnd.docker.distribution.manifest.list.v2+json',
  'application/vnd.docker.distribution.manifest.v2+json',
].join(', ');
