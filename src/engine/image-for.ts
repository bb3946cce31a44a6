import { existsSync } from 'node:fs';
import { findImageAgain, type StoredImage } from '../image/index.ts';
import type { PullEvent } from '../image/pull/index.ts';
import { embeddedImage, TsboxError } from '../kernel/index.ts';
import { noteEvents } from './events/note.ts';

/** Where the image of a new container may come from. */
export interface ImageChoice {
  /** `missing` (default), `always` or `never`. */
  pull?: string | undefined;
  platform?: string | undefined;
  tlsVerify?: boolean | undefined;
  /** Called before a pull; what it gives is told how far that is. */
  onPull?: (() => Promise<(event: PullEvent) => void>) | undefined;
  /** Say nothing of it. */
  quiet?: boolean | undefined;
  signal?: AbortSignal | undefined;
}

/**
 * The image of that name: the store's, else, as `pull` says, the registry's. `busybox` comes with tsbox: where the store has none, the embedded one is
 * imported, so that a fresh machine without internet can run a container.
 *
 * @throws {TsboxError} IMAGE_NOT_FOUND, BAD_OPTION, and what a pull throws
 */
export async function imageFor(name: string, choice: ImageChoice = {}): Promise<StoredImage> {
  const { pull = 'missing' } = choice;
  if (pull !== 'missing' && pull !== 'always' && pull !== 'never')
    throw new TsboxError('BAD_OPTION', `--pull is missing, always or never, not \`${pull.slice(0, 40)}\``);
  if (pull === 'always') return await pullFor(name, choice);
  try {
    return findImageAgain(name);
  } catch (error) {
    const { code } = error as TsboxError;
    if (code === 'LAYER_MISSING') return await unpack(name, choice);
    if (code !== 'IMAGE_NOT_FOUND') throw error;
    const embedded = embeddedImage();
    if ((name === 'busybox' || name === 'busybox:latest') && existsSync(embedded)) {
      const { importImage } = await import('../image/import.ts');
      return importImage(embedded, 'busybox');
    }
    if (pull === 'missing' && isName(name)) return await pullFor(name, choice, error as TsboxError);
    throw error;
  }
}

/** What may be an id is not looked for in a registry: nobody calls an image so, and it would be a strange thing to fetch. */
function isName(name: string): boolean {
  return !/^(sha256:)?[0-9a-f]{12,64}$/.test(name);
}

async function pullFor(name: string, choice: ImageChoice, notFound?: TsboxError): Promise<StoredImage> {
  const { pullImage } = await import('../image/pull/index.ts');
  const onProgress = await choice.onPull?.();
  try {
    const image = await pullImage(name, {
      ...(choice.platform !== undefined && { platform: choice.platform }),
      ...(choice.tlsVerify !== undefined && { tlsVerify: choice.tlsVerify }),
      ...(choice.signal && { signal: choice.signal }),
      ...(onProgress && { onProgress }),
    });
    noteEvents({
      type: 'image',
      action: 'pull',
      id: image.name || name,
      attributes: { name: image.name || name },
    });
    return image;
  } catch (error) {
    throw notFound === undefined ? error : explain(error, name, notFound);
  }
}

/** Whoever mistyped a name, or has no internet, hears of the store too. */
function explain(error: unknown, name: string, notFound: TsboxError): unknown {
  if (!(error instanceof TsboxError) || !NOT_TO_BE_HAD.has(error.code)) return error;
  return new TsboxError(error.code, `${notFound.message}, and ${error.message}`, {
    advice: `without a registry: tsbox import FILE ${name} makes it from a root file system tar, tsbox load -i FILE takes a saved one`,
    exitCode: error.exitCode,
    cause: error,
  });
}

const NOT_TO_BE_HAD = new Set(['REGISTRY_UNREACHABLE', 'REGISTRY_DENIED', 'MANIFEST_NOT_FOUND']);

/** An image that another program has copied into the store. Whoever wants to hear of pulls hears of this. */
async function unpack(name: string, { onPull, quiet, signal }: ImageChoice): Promise<StoredImage> {
  const { unpackImage } = await import('../image/unpack-image.ts');
  const say = (what: string) => onPull && !quiet && process.stderr.write(`tsbox: ${what}\n`);
  return unpackImage(name, {
    onLayer: (layer, layers) => say(`unpacking \`${name}\`: layer ${layer} of ${layers}`),
    onWait: () => say(`waiting for another tsbox that unpacks \`${name}\``),
    ...(signal && { signal }),
  });
}
