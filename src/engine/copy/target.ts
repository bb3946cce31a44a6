import { posix } from 'node:path';
import { TsboxError } from '../../kernel/index.ts';

/** Where something is to be copied to, and what is there. */
export interface Target {
  /** As it was given, for messages. */
  shown: string;
  /** Absolute, or in a container from its root; without symbolic links at its end. */
  path: string;
  type: 'directory' | 'file' | 'none';
  /** Where nothing is there: whether the directory above is. */
  parent?: boolean;
}

/**
 * Docker's rules (docker cp, "Description"): what is copied into a directory keeps its name, unless its content alone was asked for; what is
 * copied to something that is not there gets that name.
 *
 * @param name the source's; '' for the content of a directory
 * @returns the directory to unpack in, and the name that the source gets there, as in an archive: one character a byte
 */
export function chooseTarget(
  name: string,
  isDirectory: boolean,
  target: Target,
): { base: string; name: string } {
  const { shown, path, type } = target;
  const [base, last] = [posix.dirname(path), baseName(path)];
  if (type === 'directory') return { base: path, name };
  if (type === 'file') {
    if (isDirectory) throw new TsboxError('COPY_CONFLICT', `cannot copy a directory to the file ${shown}`);
    if (wantsDirectory(shown)) throw new TsboxError('NOT_A_DIRECTORY', `${shown} is not a directory`);
    return { base: base === '.' ? '' : base, name: last };
  }
  if (!target.parent) throw new TsboxError('NO_SUCH_FILE', `the directory above ${shown} does not exist`);
  if (!isDirectory && wantsDirectory(shown))
    throw new TsboxError('NO_SUCH_FILE', `the destination directory ${shown} must exist`);
  return { base: base === '.' ? '' : base, name: last };
}

/** Whether a path says by its end that it is a directory. */
export function wantsDirectory(path: string): boolean {
  return /(^|\/)\.{0,2}$/.test(path);
}

/** Whether the content of a directory is meant rather than the directory: `DIRECTORY/.`, and the root, which has no name. */
export function isContent(path: string): boolean {
  return path.endsWith('/.') || path === '.' || posix.normalize(path) === '/';
}

/** One character a byte, as names are in an archive. */
export function baseName(path: string): string {
  return latin1(posix.basename(posix.normalize(path)));
}

export function latin1(text: string): string {
  return Buffer.from(text).toString('latin1');
}
