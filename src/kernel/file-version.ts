import { statSync } from 'node:fs';

/**
 * Another string for another content of a file. Undefined where there is none, and where it cannot be told: while a file that looks the same may be
 * another in a moment. Time stamps are no finer than the kernel's clock tick, so that of two changes within one, the second does not show.
 */
export function fileVersion(path: string): string | undefined {
  const stat = statSync(path, { throwIfNoEntry: false });
  if (stat === undefined || Math.abs(Date.now() - stat.ctimeMs) < TICKS) return undefined;
  return `${stat.dev} ${stat.ino} ${stat.size} ${stat.mtimeMs} ${stat.ctimeMs}`;
}

/** Milliseconds; a tick is at most 10. */
const TICKS = 50;
