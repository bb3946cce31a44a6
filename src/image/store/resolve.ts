import { TsboxError } from '../../kernel/index.ts';
import { corrupt, type Descriptor, imageName, readJson } from './index-file.ts';
import { blobPath, isDigest } from './paths.ts';

/** A manifest as it is in the store, not checked any further. */
export interface ManifestFile {
  config?: { digest?: unknown; size?: unknown };
  layers?: ({ digest?: unknown; size?: unknown; mediaType?: unknown } | null)[];
}

/**
 * The manifest for this machine behind a line of the index: itself, or one of those that its index (or an index in that) lists.
 * Undefined where it is not (yet) in the store.
 *
 * @throws {TsboxError} STORE_CORRUPT, NO_PLATFORM
 */
export function resolveManifest(
  descriptor: Descriptor,
): { descriptor: Descriptor; manifest: ManifestFile } | undefined {
  const platforms: string[] = [];
  const found = resolve(descriptor, 0, platforms);
  if (found !== undefined || platforms.length === 0) return found;
  throw new TsboxError(
    'NO_PLATFORM',
    `image \`${imageName(descriptor) || descriptor.digest}\` is for ${platforms.slice(0, 8).join(', ')}, and this machine is linux/${ARCHITECTURE}`,
  );
}

/** What an index lists; undefined for anything else. */
export function childrenOf(file: object): Child[] | undefined {
  const { manifests, layers } = file as { manifests?: unknown; layers?: unknown };
  if (layers !== undefined || !Array.isArray(manifests)) return undefined;
  return manifests.filter((each): each is Child => isDigest(each?.digest));
}

/** As deep as anybody nests them, and further. */
export const INDEX_DEPTH = 4;

interface Child extends Descriptor {
  platform?: { os?: unknown; architecture?: unknown; variant?: unknown };
}

function resolve(
  descriptor: Descriptor,
  depth: number,
  platforms: string[],
): ReturnType<typeof resolveManifest> {
  const file = readJson(blobPath(descriptor.digest));
  if (file === undefined) return undefined;
  const children = childrenOf(file);
  if (children === undefined) return { descriptor, manifest: file };
  if (depth === INDEX_DEPTH) throw corrupt(blobPath(descriptor.digest));
  for (const child of children) {
    if (!fits(child, platforms)) continue;
    const found = resolve(child, depth + 1, platforms);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** An index in an index, and an image that was put there alone, need not say what they are for. */
function fits({ platform }: Child, platforms: string[]): boolean {
  if (typeof platform !== 'object' || platform === null) return true;
  const { os, architecture, variant } = platform;
  const own = os === 'linux' && architecture === ARCHITECTURE;
  if (own && (variant === undefined || variant === '' || VARIANTS.includes(String(variant)))) return true;
  // `unknown/unknown` is what builders call their attestations.
  const words = [os, architecture, variant].filter(
    (word) => typeof word === 'string' && /^[\w.-]{1,20}$/.test(word),
  );
  if (os !== 'unknown') platforms.push(words.join('/'));
  return false;
}

const ARCHITECTURE = process.arch === 'x64' ? 'amd64' : process.arch;
const VARIANTS = process.arch === 'x64' ? ['v1'] : ['v8'];
