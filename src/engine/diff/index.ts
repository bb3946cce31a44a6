/** What a container has changed: as a list, as an archive of all its files, and as an image. */
import { PassThrough, Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { readConfig } from '../config-file.ts';
import { toContainer } from '../copy/owners.ts';
import { pack } from '../copy/pack.ts';
import { withContainerRoot } from '../copy/root.ts';
import { noteEvents, ofContainer } from '../events/note.ts';
import { findContainer } from '../find-container.ts';
import { findChanges } from './changes.ts';

export { type CommitOptions, commitContainer } from './commit.ts';

/** What a container has made of a file or directory of its image. */
export interface ContainerChange {
  /** Added, changed or deleted. */
  kind: 'A' | 'C' | 'D';
  /** Absolute, in the container. */
  path: string;
}

/** @throws {TsboxError} NO_CONTAINER, AMBIGUOUS_ID, NO_CONFIG, DIFF_UNSUPPORTED */
export function diffContainer(reference: string): ContainerChange[] {
  const record = findContainer(reference);
  return findChanges(record, readConfig(record.id)).map(({ kind, path }) => ({
    kind,
    path: `/${Buffer.from(path, 'latin1')}`,
  }));
}

/**
 * All files of a container as a tar archive, whether it runs or not: of the image and its own, without what is mounted on them.
 *
 * @throws {TsboxError} NO_CONTAINER, AMBIGUOUS_ID, CONTAINER_BUSY
 */
export function exportContainer(reference: string): Readable {
  const record = findContainer(reference);
  const { id } = record;
  noteEvents(ofContainer(record, 'export'));
  const archive = new PassThrough();
  withContainerRoot(id, (root) =>
    pipeline(
      Readable.from(pack(root.fd, '', { owner: toContainer(root.spec), withoutMounts: true })),
      archive,
    ),
  ).catch((error) => archive.destroy(error));
  return archive;
}
