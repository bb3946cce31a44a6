import { fstatSync, statSync } from 'node:fs';
import { storeCache } from './store-cache.ts';

export interface KeptPlan {
  file: string;
  /** What it must be kept for. */
  key: string;
  there: boolean;
}

/**
 * Where the plan of this command line is, or would be: a name made of the command line, of which kinds its streams are, and of the bundle. Names may
 * collide, so the key is in the file too. An empty file says only that the command line was there before.
 */
export function keptPlan([command, ...options]: readonly string[], digest: string): KeptPlan | undefined {
  if (command !== 'run' || process.env.TSBOX_KEEP_PLANS === '0' || process.geteuid?.() !== 0)
    return undefined;
  const key = JSON.stringify([digest, options, [0, 1, 2].map(kindOfStream)]);
  if (key.length > 4096) return undefined;
  // FNV-1a, twice: loading crypto takes longer than all that is to be gained.
  let [a, b] = [0x811c9dc5, 0x01000193];
  for (let at = 0; at < key.length; at++) {
    const unit = key.charCodeAt(at);
    a = Math.imul(a ^ unit, 0x01000193);
    b = Math.imul(b ^ unit, 0x85ebca6b) ^ (b >>> 15);
  }
  const name = [a, b].map((half) => (half >>> 0).toString(16).padStart(8, '0')).join('');
  const file = `${storeCache()}/plans/${name}`;
  try {
    return { file, key, there: (statSync(file, { throwIfNoEntry: false })?.size ?? 0) > 0 };
  } catch {
    return undefined;
  }
}

/** A pipe, /dev/null (1:3) and its like the program gets as they are; what passes through us is the same to the plan. */
function kindOfStream(descriptor: number): number {
  try {
    const stat = fstatSync(descriptor);
    return stat.isFIFO() || stat.rdev === 0x103 ? 1 : 0;
  } catch {
    return 0;
  }
}
