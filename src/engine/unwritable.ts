/** Whether something failed because the disk cannot take it now: it is full or read-only, or somebody's lock stands in the way. */
export function isUnwritable(error: unknown): boolean {
  const { code } = error as { code?: unknown };
  return code === 'EROFS' || code === 'ENOSPC' || code === 'EDQUOT' || code === 'LOCK_TIMEOUT';
}
