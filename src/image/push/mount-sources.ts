import { type Reference, tryReference } from '../reference.ts';
import { type Descriptor, imageName, PULLED_DIGEST } from '../store/index.ts';
import { readStoredFiles } from '../stored-files.ts';

/**
 * Repositories of the same registry that may have a blob: those in whose names the store has it. One that was pulled from there has it for
 * certain and comes first; a name that was only ever given here costs nothing, since a registry that does not find the blob opens the
 * session for sending it, which would be the next request anyway.
 *
 * @returns for a digest at most two paths: `library/alpine`
 */
export function mountSources(to: Reference, all: readonly Descriptor[]): (digest: string) => string[] {
  const pulled = new Map<string, string>();
  const named = new Map<string, string>();
  for (const descriptor of all) {
    const reference = tryReference(imageName(descriptor));
    if (reference?.registry !== to.registry || reference.path === to.path) continue;
    const paths = descriptor.annotations?.[PULLED_DIGEST] === undefined ? named : pulled;
    // The last one stays: the newest.
    for (const digest of blobsOf(descriptor)) paths.set(digest, reference.path);
  }
  return (digest) => {
    const found = [pulled.get(digest), named.get(digest)].filter((path) => path !== undefined);
    return [...new Set(found)];
  };
}

function blobsOf(descriptor: Descriptor): string[] {
  try {
    const { config, layers } = readStoredFiles(descriptor);
    return [config, ...layers].map(({ digest }) => digest);
  } catch {
    // A damaged image, or something else that another program has put there.
    return [];
  }
}
