/** The library's part about this machine, each function loaded when it is called. */
export type { DiskUsage } from './engine/disk-usage.ts';
export type { Check } from './engine/doctor/index.ts';

import type { DiskUsage } from './engine/disk-usage.ts';
import type { Check } from './engine/doctor/index.ts';

/** What images and containers take on this disk. */
export async function diskUsage(): Promise<DiskUsage> {
  const { diskUsage } = await import('./engine/disk-usage.ts');
  return diskUsage();
}

/** What this host can and cannot do for containers. */
export async function doctor(): Promise<Check[]> {
  const { doctor } = await import('./engine/doctor/index.ts');
  return doctor();
}
