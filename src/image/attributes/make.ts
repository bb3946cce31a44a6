import { closeSync, fstatSync, mkdirSync, openSync } from 'node:fs';
import { join } from 'node:path';
import {
  closeDescriptor,
  cString,
  O,
  openat2,
  RESOLVE,
  readXattrs,
  S,
  statAt,
  syscall,
} from '../../kernel/index.ts';
import { badArchive, plainName } from '../archive-error.ts';
import { type Attributes, hasImplied, readImplied, setAttributes } from '../layer/index.ts';
import { isOpaque } from '../read-file.ts';
import { layerPath, makeTemporary, storeChanged, storePaths, type Temporary } from '../store/index.ts';
import { type LayerView, planAttributes } from './plan.ts';

/**
 * Makes the attributes layer of an image, in an unfinished directory of the store. The caller has it flushed to the disk, publishes it
 * (`attributesPath`) and releases it.
 *
 * @param diffIds the image's layers, the lowest first
 * @param unpacked those of them that are not in the store yet
 * @returns undefined where the layers describe all their directories. Where the image needs no attributes of others all the same, there is no `diff`
 * in the directory: that it was looked at has to be known too.
 * @throws {TsboxError} STORE_CHANGED where a layer has gone meanwhile, BAD_ARCHIVE
 */
export function makeAttributes(
  diffIds: readonly string[],
  unpacked: ReadonlyMap<string, Temporary> = new Map(),
): Temporary | undefined {
  const directories = diffIds.map((diffId) => {
    const own = unpacked.get(diffId);
    return own === undefined ? layerPath(diffId) : join(own.path, 'diff');
  });
  if (!directories.slice(1).some(hasImplied)) return undefined;
  const layers: number[] = [];
  const made = makeTemporary(storePaths().layers);
  try {
    for (const [index, directory] of directories.entries())
      layers.push(openLayer(directory, diffIds[index] as string));
    const plan = planAttributes(viewsOf(layers, directories));
    if (plan.size > 0) write(join(made.path, 'diff'), plan, layers);
    return made;
  } catch (error) {
    made.release();
    throw error;
  } finally {
    for (const fd of layers) closeSync(fd);
  }
}

function openLayer(directory: string, diffId: string): number {
  try {
    return openSync(directory, O.O_RDONLY | O.O_DIRECTORY | O.O_NOFOLLOW);
  } catch (error) {
    throw (error as NodeJS.ErrnoException).code === 'ENOENT' ? storeChanged(diffId) : error;
  }
}

function viewsOf(layers: readonly number[], directories: readonly string[]): LayerView[] {
  let left = IMPLIED_MOST;
  return layers.map((fd, index) => {
    const implied = new Set(readImplied(directories[index] as string));
    left -= implied.size;
    if (left < 0)
      throw badArchive(
        `the layers of the image leave out more than ${IMPLIED_MOST} directories that their files lie in`,
      );
    return { implied, look: (path) => look(fd, path) };
  });
}

/** No real image comes near, and each is looked for in every layer. */
const IMPLIED_MOST = 500_000;

function look(layer: number, path: string): ReturnType<LayerView['look']> {
  const status = statAt(layer, Buffer.from(path, 'latin1'));
  if (status === undefined) return 'nothing';
  if ((status.mode & S.S_IFMT) !== S.S_IFDIR) return 'other';
  return isOpaque(layer, path) ? 'opaque directory' : 'directory';
}

function write(directory: string, plan: ReadonlyMap<string, number>, layers: readonly number[]): void {
  mkdirSync(directory, 0o755);
  const root = openSync(directory, O.O_RDONLY | O.O_DIRECTORY | O.O_NOFOLLOW);
  try {
    for (const path of plan.keys()) {
      const name = cString(Buffer.from(path, 'latin1'));
      if (path !== '') syscall('mkdirat', [root, name, 0o700], contextOf(path));
    }
    // What is in a directory comes before it: making it changed its time, and a default ACL would be inherited.
    for (const [path, source] of [...plan].reverse()) {
      const attributes = withDirectory(layers[source] as number, path, attributesOf);
      withDirectory(root, path, (fd) => setAttributes(fd, attributes, path));
    }
  } finally {
    closeSync(root);
  }
}

function attributesOf(fd: number): Attributes {
  const { mode, uid, gid, mtimeNs } = fstatSync(fd, { bigint: true });
  // What overlayfs has noted of a directory is true for that layer alone.
  const xattrs = new Map([...readXattrs(fd)].filter(([name]) => !/^(?:trusted|user)\.overlay\./.test(name)));
  return { mode: Number(mode) & 0o7777, uid: Number(uid), gid: Number(gid), mtime: mtimeNs, xattrs };
}

function withDirectory<Result>(root: number, path: string, use: (fd: number) => Result): Result {
  const resolve = RESOLVE.RESOLVE_IN_ROOT | RESOLVE.RESOLVE_NO_SYMLINKS | RESOLVE.RESOLVE_NO_XDEV;
  const name = Buffer.from(`./${path}`, 'latin1');
  const fd = openat2(root, name, O.O_RDONLY | O.O_DIRECTORY, resolve, contextOf(path));
  try {
    return use(fd);
  } finally {
    closeDescriptor(fd);
  }
}

function contextOf(path: string): { path: string; doing: string } {
  return { path: plainName(path), doing: 'unpack' };
}
