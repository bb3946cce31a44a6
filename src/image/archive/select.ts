import { tryReference } from '../reference.ts';
import { type Descriptor, findStored, imageName, readIndex } from '../store/index.ts';
import { readStoredFiles, type StoredFiles } from '../stored-files.ts';

/** An image that is to be saved. */
export interface Selected {
  /** Names in the store that it is saved under; none where it was asked for by its id. */
  names: string[];
  files: StoredFiles;
}

/**
 * The images that are meant, each once, with all names that were asked for.
 *
 * @throws {TsboxError} IMAGE_NOT_FOUND, AMBIGUOUS_ID
 */
export function selectImages(references: readonly string[]): Selected[] {
  const found = new Map<string, Selected>();
  for (const reference of references) {
    for (const { descriptor, name } of meant(reference)) {
      const image = found.get(descriptor.digest) ?? { names: [], files: readStoredFiles(descriptor) };
      if (name !== undefined && !image.names.includes(name)) image.names.push(name);
      found.set(descriptor.digest, image);
    }
  }
  return [...found.values()];
}

function meant(text: string): { descriptor: Descriptor; name: string | undefined }[] {
  const reference = tryReference(text);
  if (reference !== undefined && reference.tag === 'latest' && !text.endsWith(':latest')) {
    const tags = readIndex().flatMap((descriptor) => {
      const name = imageName(descriptor);
      const stored = tryReference(name);
      return stored?.repository === reference.repository && stored.tag !== undefined
        ? [{ descriptor, name }]
        : [];
    });
    if (tags.length > 0) return tags;
  }
  const { descriptor } = findStored(text);
  const name = imageName(descriptor);
  const stored = tryReference(name);
  // Something may have been found by its id only, or by its digest, which is no name in an archive.
  const named = stored?.tag !== undefined && stored.name === reference?.name;
  return [{ descriptor, name: named ? name : undefined }];
}
