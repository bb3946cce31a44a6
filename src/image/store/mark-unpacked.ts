import { replaceIndex } from './garbage.ts';
import { formatIndex, readIndex, UNPACKED_SIZE } from './index-file.ts';
import { withStoreLock } from './lock.ts';

/** Notes with all names of an image that its layers are there and right. @param size bytes of its files */
export function markUnpacked(digest: string, size: number): void {
  withStoreLock(() => {
    const lines = readIndex().map((line) => {
      if (line.digest !== digest) return line;
      return { ...line, annotations: { ...line.annotations, [UNPACKED_SIZE]: String(size) } };
    });
    replaceIndex(formatIndex(lines), lines, [])?.release();
  });
}
