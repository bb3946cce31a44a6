import { fstatSync, statSync } from 'node:fs';
import { isNullDevice } from '../kernel/null-device.ts';
import { sumOf } from '../kernel/sum.ts';
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
  const file = `${storeCache()}/plans/${sumOf(Buffer.from(key))}`;
  try {
    return { file, key, there: (statSync(file, { throwIfNoEntry: false })?.size ?? 0) > 0 };
  } catch {
    return undefined;
  }
}

/** A pipe and /dev/null the program gets as they are; what passes through us is the same to the plan. */
function kindOfStream(descriptor: number): number {
  try {
    const stat = fstatSync(descriptor);
    return stat.isFIFO() || isNullDevice(stat) ? 1 : 0;
  } catch {
    return 0;
  }
}
