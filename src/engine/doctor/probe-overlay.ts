import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { cString, FSCONFIG, FSOPEN } from '../../kernel/index.ts';
import { attempt } from './attempt.ts';

/**
 * Makes an overlay with its writable directory in the store, and drops it without ever mounting it. Whether the kernel agrees
 * depends on the file system, so nothing less tells.
 */
export function overlayProbe(root: string): number {
  let directory: string;
  try {
    directory = mkdtempSync(join(nearest(root), '.tsbox-doctor-'));
  } catch (error) {
    return -((error as { errno?: number }).errno ?? -5);
  }
  try {
    for (const name of ['lower', 'upper', 'work']) mkdirSync(join(directory, name));
    return create(directory);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

function create(directory: string): number {
  const { error, result: context } = attempt('fsopen', [cString('overlay'), FSOPEN.FSOPEN_CLOEXEC]);
  if (error !== 0) return error;
  try {
    for (const name of ['lower', 'upper', 'work']) {
      const args = [cString(`${name}dir`), cString(join(directory, name)), 0];
      const set = attempt('fsconfig', [context, FSCONFIG.FSCONFIG_SET_STRING, ...args]);
      if (set.error !== 0) return set.error;
    }
    return attempt('fsconfig', [context, FSCONFIG.FSCONFIG_CMD_CREATE, 0, 0, 0]).error;
  } finally {
    attempt('close', [context]);
  }
}

/** The store may not be there yet: then it will be on the file system of the nearest directory above that is. */
export function nearest(path: string): string {
  return existsSync(path) || path === dirname(path) ? path : nearest(dirname(path));
}
