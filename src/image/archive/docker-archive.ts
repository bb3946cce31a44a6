import { createHash } from 'node:crypto';
import { badArchive, shownName } from '../archive-error.ts';
import { OCI_CONFIG, OCI_MANIFEST } from '../manifest.ts';
import { type Reference, tryReference } from '../reference.ts';
import type { BlobDescriptor } from '../registry/types.ts';
import { type Compression, detectCompression } from '../source/index.ts';
import type { FoundImage } from './found.ts';
import type { Member, Members } from './members.ts';

/**
 * The images of `manifest.json`: a list of `{Config, RepoTags, Layers}` (moby, image/spec/v1.2.md, "Combined Image JSON + Filesystem
 * Changeset Format"). Such an archive has no manifest of the kind that registries have, so one is made; the configuration stays as it is, and
 * with it the image's id.
 *
 * @throws {TsboxError} BAD_ARCHIVE, UNSAFE_ARCHIVE
 */
export function readDockerArchive(members: Members): FoundImage[] {
  const text = members.text(
    members.file('manifest.json', 'list of images'),
    'list of images `manifest.json`',
  );
  let list: unknown;
  try {
    list = JSON.parse(text.toString('utf8'));
  } catch {
    throw badArchive('its `manifest.json` is not JSON');
  }
  if (!Array.isArray(list)) throw badArchive('its `manifest.json` is no list');
  return list.map((item) => readItem(item, members));
}

function readItem(item: unknown, members: Members): FoundImage {
  const { Config, RepoTags, Layers } = (typeof item === 'object' && item ? item : {}) as Record<
    string,
    unknown
  >;
  if (typeof Config !== 'string') throw badArchive('its `manifest.json` names no configuration of an image');
  if (!isStrings(Layers)) throw badArchive('its `manifest.json` names no layers of an image');
  if (RepoTags !== undefined && RepoTags !== null && !isStrings(RepoTags))
    throw badArchive('its `manifest.json` has names of an image that are no text');
  const member = members.file(Config, 'configuration');
  const bytes = members.text(member, 'configuration');
  const config = { mediaType: OCI_CONFIG, digest: member.digest, size: member.size };
  const layers = Layers.map((path) => layerOf(members.file(path, 'layer')));
  const descriptors = layers.map(({ descriptor }) => descriptor);
  return {
    names: [...new Set((RepoTags ?? []).map((name) => readName(name).name))],
    manifest: makeManifest(config, descriptors),
    made: true,
    config: { descriptor: config, bytes },
    layers,
  };
}

/** A name as an archive gives it. */
export function readName(name: string): Reference {
  const reference = tryReference(name);
  if (reference?.tag === undefined)
    throw badArchive(
      `it calls an image ${shownName(Buffer.from(name).toString('latin1'))}, which is not a name for an image`,
    );
  return reference;
}

function layerOf(member: Member): { descriptor: BlobDescriptor; member: Member } {
  const compression = detectCompression(member.start);
  const mediaType = MEDIA_TYPES[compression];
  if (mediaType === undefined)
    throw badArchive(`it has a layer in ${compression}, which layers of images cannot be in`);
  return { descriptor: { mediaType, digest: member.digest, size: member.size }, member };
}

function makeManifest(config: BlobDescriptor, layers: BlobDescriptor[]) {
  const bytes = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: OCI_MANIFEST, config, layers }));
  const digest = `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
  return { mediaType: OCI_MANIFEST, digest, bytes };
}

/** OCI image-spec, layer.md. */
const MEDIA_TYPES: Partial<Record<Compression, string>> = {
  none: 'application/vnd.oci.image.layer.v1.tar',
  gzip: 'application/vnd.oci.image.layer.v1.tar+gzip',
  zstd: 'application/vnd.oci.image.layer.v1.tar+zstd',
};

function isStrings(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((each) => typeof each === 'string');
}
