import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { containersDirectory } from '../paths.ts';

/** One check. */
export interface HealthResult {
  /** RFC 3339. */
  start: string;
  end: string;
  /** 0 for healthy; -1 where it took too long or could not be started. */
  exitCode: number;
  /** The beginning of what it wrote. */
  output: string;
}

/** What the last checks have found. */
export interface HealthResults {
  failingStreak: number;
  /** The last five, the newest last. */
  log: HealthResult[];
}

export function readHealth(id: string): HealthResults {
  try {
    const results = JSON.parse(readFileSync(file(id), 'utf8')) as HealthResults;
    if (Number.isSafeInteger(results.failingStreak) && Array.isArray(results.log)) return results;
  } catch {
    // None yet, or damaged: it begins anew.
  }
  return { failingStreak: 0, log: [] };
}

/** Call it with the container's state lock held. */
export function writeHealth(id: string, results: HealthResults): void {
  writeFileSync(`${file(id)}.new`, `${JSON.stringify(results)}\n`, { mode: 0o600 });
  renameSync(`${file(id)}.new`, file(id));
}

function file(id: string): string {
  return join(containersDirectory(), id, 'health.json');
}
