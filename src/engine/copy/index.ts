/**
 * Copying between containers and the host. Both ways are an archive: one side packs, the other unpacks, and either may be a stream that
 * somebody else reads or writes. The container's side is always found with the container's root as `/` (path.ts), whatever it
 * does meanwhile; nothing of it is executed, and no library of it loaded (CVE-2019-14271).
 */
import { closeSync, existsSync, openSync, realpathSync, statSync } from 'node:fs';
import { posix } from 'node:path';
import type { Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { AT, closeDescriptor, cString, O, RESOLVE, syscall, TsboxError } from '../../kernel/index.ts';
import { noteEvents, ofContainer } from '../events/note.ts';
import { findContainer } from '../find-container.ts';
import { adopter } from './adopt.ts';
import { toContainer, toHost } from './owners.ts';
import { pack } from './pack.ts';
import { find, followLast, IN_CONTAINER, notFound } from './path.ts';
import { type ContainerRoot, withContainerRoot } from './root.ts';
import { baseName, chooseTarget, isContent, latin1, type Target, wantsDirectory } from './target.ts';
import { unpack } from './unpack.ts';
import { inVolume } from './volume.ts';

export interface CopyOptions {
  /** Keep the ids of owners. Default false: what is copied belongs to root in the container, or to this user on the host. */
  archive?: boolean;
  /** Follow a symbolic link that is the source. Default false: the link is copied. */
  followLink?: boolean;
}

/**
 * Copies a file or a directory of a container, by Docker's rules for what it is then called.
 *
 * @param source in the container; with `/.` at the end the content of a directory
 * @param destination a path on the host, or a stream that gets a tar archive
 * @returns bytes of the archive
 * @throws {TsboxError} NO_CONTAINER, NO_SUCH_FILE, COPY_CONFLICT
 */
export async function copyFromContainer(
  reference: string,
  source: string,
  destination: string | Writable,
  options: CopyOptions = {},
): Promise<number> {
  const record = findContainer(reference);
  noteEvents(ofContainer(record, 'archive-path', { path: source }));
  return await withContainerRoot(record.id, (container) =>
    inVolume(container, source, false, async (root, path) => {
      const found = find(root, path, options.followLink || wantsDirectory(path));
      if (found === undefined) throw notFound(root, source);
      try {
        const directory = found.type === 'directory';
        if (wantsDirectory(path) && !directory)
          throw new TsboxError('NOT_A_DIRECTORY', `${source} in container ${root.name} is not a directory`);
        const name = isContent(path) ? '' : baseName(source);
        const counted = new Counter();
        const archive = (as: string) => counted.count(pack(found.fd, as, { owner: toContainer(root.spec) }));
        if (typeof destination !== 'string') await pipeline(archive(name), destination, { end: false });
        else await unpackHere(chooseTarget(name, directory, localTarget(destination)), archive, options);
        return counted.bytes;
      } finally {
        closeDescriptor(found.fd);
      }
    }),
  );
}

/**
 * Copies a file or a directory into a container.
 *
 * @param source a path on the host, with `/.` at the end the content of a directory; or a tar archive as a stream, whose ids are kept
 * @param destination in the container; for an archive a directory that is there
 * @returns bytes of the archive
 * @throws {TsboxError} NO_CONTAINER, NO_SUCH_FILE, COPY_CONFLICT, READ_ONLY, BAD_ARCHIVE, UNSAFE_ARCHIVE
 */
export async function copyToContainer(
  reference: string,
  source: string | AsyncIterable<Uint8Array>,
  destination: string,
  options: CopyOptions = {},
): Promise<number> {
  const local = typeof source === 'string' ? openLocal(source, options) : undefined;
  try {
    const record = findContainer(reference);
    noteEvents(ofContainer(record, 'extract-to-dir', { path: destination }));
    return await withContainerRoot(record.id, (container) => {
      return inVolume(container, destination, true, async (root, path) => {
        const counted = new Counter();
        const owner = root.ownIds ? (id: number) => id : toHost(root.spec);
        // Of a container that does not run the image's layers are mounted as they are on the disk.
        const adopt = container.running || root.fd !== container.fd ? undefined : adopter(root);
        const common = { resolve: IN_CONTAINER, ...(adopt && { adopt }) };
        if (local === undefined) {
          const base = requireDirectory(root, path, destination);
          await unpack(counted.count(source as AsyncIterable<Uint8Array>), root.fd, {
            ...common,
            base,
            owner,
          });
        } else {
          const target = chooseTarget(local.name, local.directory, containerTarget(root, path, destination));
          const archive = pack(local.fd, target.name, { owner: (id) => id });
          const own: typeof owner = options.archive ? owner : (_, kind) => owner(0, kind);
          await unpack(counted.count(archive), root.fd, { ...common, base: latin1(target.base), owner: own });
        }
        return counted.bytes;
      });
    });
  } finally {
    if (local !== undefined) closeDescriptor(local.fd);
  }
}

class Counter {
  bytes = 0;

  async *count(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    for await (const chunk of source) {
      this.bytes += chunk.length;
      yield chunk;
    }
  }
}

/** What the container wrote is as hostile on the host as an image: nothing is made through a link, and nothing above the directory. */
async function unpackHere(
  target: { base: string; name: string },
  archive: (name: string) => AsyncIterable<Uint8Array>,
  { archive: keepIds }: CopyOptions,
): Promise<void> {
  const root = openSync(target.base, O.O_RDONLY | O.O_DIRECTORY);
  const resolve = RESOLVE.RESOLVE_BENEATH | RESOLVE.RESOLVE_NO_SYMLINKS | RESOLVE.RESOLVE_NO_MAGICLINKS;
  const [uid, gid] = [process.geteuid?.() ?? 0, process.getegid?.() ?? 0];
  const owner = (id: number, kind: 'uid' | 'gid') => (keepIds ? id : kind === 'uid' ? uid : gid);
  try {
    await unpack(archive(target.name), root, { base: '', resolve, owner });
  } finally {
    closeSync(root);
  }
}

function openLocal(source: string, options: CopyOptions): { fd: number; directory: boolean; name: string } {
  const follow = options.followLink || wantsDirectory(source);
  const flags = O.O_PATH | O.O_CLOEXEC | (follow ? 0 : O.O_NOFOLLOW);
  const fd = syscall('openat', [AT.AT_FDCWD, cString(source), flags, 0], { path: source, doing: 'copy' });
  const directory =
    statSync(`/proc/self/fd/${fd}`, { throwIfNoEntry: false })?.isDirectory() === true && !isLink(fd);
  if (wantsDirectory(source) && !directory) {
    closeDescriptor(fd);
    throw new TsboxError('NOT_A_DIRECTORY', `${source} is not a directory`);
  }
  return { fd, directory, name: isContent(source) ? '' : baseName(realName(source)) };
}

function isLink(fd: number): boolean {
  const target = Buffer.alloc(1);
  // EINVAL, and for an empty name ENOENT, where it is none: readlink(2).
  return syscall('readlinkat', [fd, cString(''), target, 1], { allow: [22, 2] }) >= 0;
}

/** `.` and `..` have no name of their own. */
function realName(source: string): string {
  return /(^|\/)\.\.?\/?$/.test(source) ? realpathSync(source) : source;
}

function localTarget(destination: string): Target {
  const stats = statSync(destination, { throwIfNoEntry: false });
  if (stats !== undefined) {
    const path = realpathSync(destination);
    return { shown: destination, path, type: stats.isDirectory() ? 'directory' : 'file' };
  }
  const parent = posix.dirname(posix.resolve(destination));
  return { shown: destination, path: posix.resolve(destination), type: 'none', parent: existsSync(parent) };
}

function containerTarget(root: ContainerRoot, path: string, shown: string): Target {
  const found = find(root, path, true);
  if (found !== undefined) {
    closeDescriptor(found.fd);
    const type = found.type === 'directory' ? 'directory' : 'file';
    return { shown, path: type === 'directory' ? found.path : followLast(root, path), type };
  }
  const target = posix.resolve('/', followLast(root, path));
  const parent = find(root, posix.dirname(target), true);
  if (parent) closeDescriptor(parent.fd);
  return { shown, path: target, type: 'none', parent: parent?.type === 'directory' };
}

function requireDirectory(root: ContainerRoot, path: string, shown: string): string {
  const found = find(root, path, true);
  if (found === undefined) throw notFound(root, shown);
  closeDescriptor(found.fd);
  if (found.type === 'directory') return latin1(found.path);
  throw new TsboxError(
    'NOT_A_DIRECTORY',
    `destination ${shown} must be a directory in container ${root.name}`,
  );
}
