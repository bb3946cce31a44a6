import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { newerThan, root } from './files.mjs';

/** dist/images/busybox-linux-ARCHITECTURE.tar, the image that needs no download. Without a busybox on this machine there is none. */
export function buildImage() {
  const to = join('dist', 'images', `busybox-linux-${process.arch}.tar`);
  const recipe = join('rootfs', 'busybox', 'build');
  if (!existsSync('/bin/busybox')) {
    console.log(`no ${to}: apt-get install busybox-static`);
    return;
  }
  if (newerThan(to, [recipe, '/bin/busybox'])) return;
  mkdirSync(join('dist', 'images'), { recursive: true });
  execFileSync(join(root, recipe), [to], { cwd: root, stdio: 'inherit' });
}
