import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { TsboxError } from './error.ts';

/** The path of a compiled file of native/ for this machine: `tsbox.so`, `init`, `janitor`. */
export function nativeFile(name: string): string {
  return join(packageRoot(), 'dist', 'native', `linux-${process.arch}`, name);
}

/** The path of the root filesystem that tsbox brings along (rootfs/busybox), for this machine. A build without busybox-static has none. */
export function embeddedImage(): string {
  return join(packageRoot(), 'dist', 'images', `busybox-linux-${process.arch}.tar`);
}

/** How to start this tsbox again, whoever called it: what comes before the arguments of the command. */
export function selfCommand(): string[] {
  // Not imported: few programs ask, and all would wait for it.
  return process.getBuiltinModule('node:sea').isSea()
    ? [process.execPath]
    : [process.execPath, join(packageRoot(), 'dist', 'tsbox.cjs')];
}

/**
 * The directory of this package: the nearest one above this file that has a `package.json`. The single executable unpacks the
 * same tree where it keeps its caches (src/start/sea.ts).
 */
export function packageRoot(): string {
  if (root !== undefined) return root;
  let directory = import.meta.dirname;
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
