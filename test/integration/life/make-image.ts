import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { scratch } from '../support/tsbox.ts';
import { said } from './support.ts';

/** Imports an image of busybox and of what a script makes in its root. */
export function makeImage(script: string, name: string, ...changes: string[]): void {
  const root = scratch();
  const programs = 'sh ls cat rm touch mkdir mkfifo mv ln chmod chown sleep stat mount grep true';
  const make = `mkdir -p tree/bin; cp /bin/busybox tree/bin; for a in ${programs}; do ln -s busybox tree/bin/$a; done
    (cd tree; ${script}); tar --xattrs -cf image.tar -C tree .`;
  const { status, stderr } = spawnSync('bash', ['-ec', make], { cwd: root, encoding: 'utf8' });
  if (status !== 0) throw new Error(stderr);
  said('import', ...changes.flatMap((each) => ['--change', each]), join(root, 'image.tar'), name);
}
