import { TsboxError } from '../../kernel/index.ts';
import { plainName } from '../archive-error.ts';
import { DOCKER_LIST, OCI_INDEX, parseDescriptor, parseObject } from '../manifest.ts';
import type { BlobDescriptor } from '../registry/index.ts';
import { formatPlatform, normalize, type Platform, runnable } from './platform.ts';

/** A manifest that an index lists. */
export interface IndexEntry extends BlobDescriptor {
  /** Absent for an entry that says nothing: an index in the index, or a manifest of whoever wrote no platform. */
  platform: Platform | undefined;
}

/** Whether these are the bytes of an index rather than of one image's manifest. */
export function isIndex(mediaType: string, bytes: Buffer): boolean {
  const value = parseObject(bytes, 'manifest');
  // What is in the document goes first: it is what the digest covers. Registries' headers have been wrong (CVE-2021-41190).
  const type = typeof value.mediaType === 'string' ? value.mediaType : mediaType.split(';')[0]?.trim();
  const [hasManifests, hasLayers] = [Array.isArray(value.manifests), Array.isArray(value.layers)];
  if (hasManifests && hasLayers)
    throw bad('its manifest is an index and an image at once, which nobody can tell apart');
  if (type === OCI_INDEX || type === DOCKER_LIST) return true;
  return hasManifests && value.config === undefined;
}

/**
 * Reads an OCI index or a Docker manifest list.
 *
 * @throws {TsboxError} BAD_MANIFEST
 */
export function parseIndex(bytes: Buffer): IndexEntry[] {
  const { manifests } = parseObject(bytes, 'index');
  if (!Array.isArray(manifests)) throw bad('its index lists no manifests');
  if (manifests.length > MOST_ENTRIES) throw bad(`its index lists ${manifests.length} manifests`);
  return manifests.map((each) => ({
    ...parseDescriptor(each, 'index entry'),
    platform: readPlatform((each as { platform?: unknown }).platform),
  }));
}

/**
 * The entry for a platform: the best of what it can run. Where none fits, the indexes within this one are left to look into.
 *
 * @throws {TsboxError} NO_PLATFORM, which lists what there is
 */
export function chooseEntry(entries: readonly IndexEntry[], wanted: Platform, name: string): IndexEntry {
  for (const platform of runnable(wanted)) {
    const found = entries.find((entry) => entry.platform && same(entry.platform, platform));
    if (found !== undefined) return found;
  }
  const unnamed = entries.find(({ platform }) => platform === undefined);
  if (unnamed !== undefined) return unnamed;
  throw noPlatform(
    name,
    wanted,
    entries.flatMap(({ platform }) =>
      platform && platform.os !== 'unknown' ? [formatPlatform(platform)] : [],
    ),
  );
}

export function noPlatform(name: string, wanted: Platform, there: readonly string[]): TsboxError {
  const list = there.length === 0 ? 'no platform at all' : [...new Set(there)].slice(0, 20).join(', ');
  return new TsboxError(
    'NO_PLATFORM',
    `\`${name}\` is not there for ${formatPlatform(wanted)}, but for ${list}`,
    {
      advice:
        "choose one with --platform; another architecture than this machine's needs an emulator (binfmt_misc) to run",
    },
  );
}

/** Far more than there are platforms. */
const MOST_ENTRIES = 1000;

function readPlatform(value: unknown): Platform | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const { os, architecture, variant } = value as Record<string, unknown>;
  return normalize({ os: word(os), architecture: word(architecture), variant: word(variant ?? '') });
}

function word(value: unknown): string {
  return typeof value === 'string'
    ? plainName(Buffer.from(value.slice(0, 40).toLowerCase()).toString('latin1'))
    : 'unknown';
}

function same(a: Platform, b: Platform): boolean {
  return a.os === b.os && a.architecture === b.architecture && a.variant === b.variant;
}

function bad(message: string): TsboxError {
  return new TsboxError('BAD_MANIFEST', message);
}
