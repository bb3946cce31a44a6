/**
 * Where tsbox keeps what outlives a process: `/var/lib/tsbox`, or `TSBOX_ROOT`, where that is not empty. Read at each use, so that a program can change
 * it; it may be relative. All layers have something of their own below it.
 */
export function storeRoot(): string {
  return process.env.TSBOX_ROOT || '/var/lib/tsbox';
}
