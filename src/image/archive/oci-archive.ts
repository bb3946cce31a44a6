import { badArchive, shownName } from '../archive-error.ts';
import {
  DOCKER_LIST,
  DOCKER_MANIFEST,
  OCI_INDEX,
  OCI_MANIFEST,
  parseImageManifest,
  parseObject,
} from '../manifest.ts';
import { type IndexEntry, parseIndex } from '../pull/image-index.ts';
import { formatPlatform, machinePlatform, runnable } from '../pull/platform.ts';
import { tryReference } from '../reference.ts';
import type { BlobDescriptor } from '../registry/types.ts';
import { REF_NAME } from '../store/index.ts';
import { CONTAINERD_NAME } from './describe.ts';
import { readName } from './docker-archive.ts';
import type { FoundImage } from './found.ts';
import type { Member, Members } from './members.ts';

/**
 * The images of an OCI image layout in a tar (OCI image-spec, image-layout.md). Of an index, which has an image for each kind of machine, the
 * one for this machine is taken.
 *
 * @throws {TsboxError} BAD_ARCHIVE, UNSAFE_ARCHIVE, BAD_MANIFEST
 */
export function readOciArchive(members: Members): FoundImage[] {
  const index = members.text(members.file('index.json', 'index'), 'index');
  const lines = linesOf(index, 'index.json');
  const images = new Map<string, FoundImage>();
  for (const line of lines) {
    if (isAttachment(line)) continue;
    const image = readImage(descend(line, members), members);
    const found = images.get(image.manifest.digest) ?? image;
    const name = nameOf(line);
    if (name !== undefined && !found.names.includes(name)) found.names.push(name);
    images.set(image.manifest.digest, found);
  }
  return [...images.values()];
}

interface Line extends IndexEntry {
  annotations: Record<string, unknown>;
  artifactType: unknown;
}

function linesOf(bytes: Buffer, what: string): Line[] {
  const { manifests } = parseObject(bytes, what);
  if (!Array.isArray(manifests)) throw badArchive(`its ${what} lists no manifests`);
  return parseIndex(bytes).map((entry, index) => {
    const { annotations, artifactType } = manifests[index] as Record<string, unknown>;
    const isObject = typeof annotations === 'object' && annotations !== null;
    return { ...entry, annotations: isObject ? (annotations as Line['annotations']) : {}, artifactType };
  });
}

/** Signatures and BuildKit's attestations lie beside images and are none. */
function isAttachment({ artifactType, annotations }: Line): boolean {
  return artifactType !== undefined || annotations['vnd.docker.reference.type'] !== undefined;
}

/** From a line of index.json to the manifest of one image: `skopeo copy --all` and Docker put an index between. */
function descend(line: Line, members: Members): Line {
  let at = line;
  for (let depth = 0; at.mediaType === OCI_INDEX || at.mediaType === DOCKER_LIST; depth++) {
    if (depth === 3) throw badArchive('its indexes are nested too deeply');
    const index = blob(at, members, 'index');
    const lines = linesOf(members.text(index, 'index'), 'index').filter((each) => !isAttachment(each));
    // Docker saves only the images that it has pulled: those of other machines are listed, but are not there.
    const next = choose(lines.filter(({ digest }) => members.withDigest(digest))) ?? choose(lines);
    if (next === undefined) {
      const there = lines.flatMap(({ platform }) => (platform ? [formatPlatform(platform)] : []));
      throw badArchive(
        `it has no image for ${formatPlatform(machinePlatform())}`,
        `it has ${there.slice(0, 20).join(', ') || 'none at all'}`,
      );
    }
    at = next;
  }
  return at;
}

function readImage(line: Line, members: Members): FoundImage {
  const { mediaType } = line;
  if (mediaType !== undefined && mediaType !== OCI_MANIFEST && mediaType !== DOCKER_MANIFEST)
    throw badArchive(`it has a manifest of the unknown type ${shownName(mediaType)}`);
  const bytes = members.text(blob(line, members, 'manifest'), 'manifest');
  const manifest = parseImageManifest(bytes);
  const config = blob(manifest.config, members, 'configuration');
  return {
    names: [],
    manifest: { mediaType: manifest.mediaType ?? mediaType ?? OCI_MANIFEST, digest: line.digest, bytes },
    made: false,
    config: { descriptor: manifest.config, bytes: members.text(config, 'configuration') },
    layers: manifest.layers.map((descriptor) => ({ descriptor, member: blob(descriptor, members, 'layer') })),
  };
}

/** By content, not by name: what lies in `blobs/sha256/` under a digest may have another one. */
function blob({ digest, size }: BlobDescriptor, members: Members, what: string): Member {
  const path = `blobs/sha256/${digest.slice(7)}`;
  const member = members.file(path, what);
  if (member.digest !== digest)
    throw badArchive(`its ${what} ${shownName(path)} has the digest ${member.digest}: it is damaged`);
  if (member.size !== size)
    throw badArchive(`its ${what} ${shownName(path)} has ${member.size} bytes, where ${size} are expected`);
  return member;
}

/**
 * containerd, Docker and BuildKit write the name in an annotation of their own and only the tag in the standard one, where podman and skopeo
 * write the name. A word alone that looks like a tag is taken for one.
 */
function nameOf({ annotations }: Line): string | undefined {
  const name = annotations[CONTAINERD_NAME];
  if (typeof name === 'string') return readName(name).name;
  const given = annotations[REF_NAME];
  if (typeof given !== 'string' || /^(?:latest|v?\d[^/:]*)$/.test(given)) return undefined;
  return tryReference(given)?.tag === undefined ? undefined : readName(given).name;
}

/** The best that this machine can run. */
function choose(lines: readonly Line[]): Line | undefined {
  for (const wanted of runnable(machinePlatform())) {
    const found = lines.find(
      ({ platform }) => platform && formatPlatform(platform) === formatPlatform(wanted),
    );
    if (found !== undefined) return found;
  }
  return lines.find(({ platform }) => platform === undefined);
}
