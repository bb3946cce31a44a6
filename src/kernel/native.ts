import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { TsboxError } from './error.ts';

/** The path of a compiled file of native/ for this machine: `tsbox.so`, `init`, `janitor`. */
export function nativeFile(name: string): string {
  return join(packageRoot(), 'dist', 'native', `linux-${process.arch}`, name);
}

/** The directory of this package: the nearest one above this file that has a `package.json`. */
export function packageRoot(): string {
  if (root !== undefined) return root;
  let directory = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(directory, 'package.json'))) {
    const parent = dirname(directory);
    if (parent === directory)
      throw new TsboxError('NOT_INSTALLED', 'cannot find the directory tsbox is installed in');
    directory = parent;
  }
  root = directory;
  return root;
}

let root: string | undefined;
