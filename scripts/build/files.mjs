import { statSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The checkout. */
export const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
process.chdir(root);

/** Whether `file` is there and newer than each of `sources`. */
export function newerThan(file, sources) {
  const modified = (path) => statSync(path, { throwIfNoEntry: false })?.mtimeMs;
  const built = modified(file);
  return built !== undefined && sources.every((source) => (modified(source) ?? 0) < built);
}
