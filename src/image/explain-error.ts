import { TsboxError } from '../kernel/index.ts';
import { storePaths } from './store/index.ts';

/**
 * An error of importing or loading, with what was being done in front of it.
 *
 * @param doing `import`, `load`
 * @param source the archive's name
 */
export function explainError(error: unknown, doing: string, source: string): unknown {
  const { code, message, advice } = error as TsboxError;
  if (code === 'ENOSPC' || code === 'EDQUOT') {
    const why = code === 'ENOSPC' ? 'no space is left on its disk (or no inodes)' : 'a quota is used up';
    return new TsboxError(
      'DISK_FULL',
      `cannot ${doing} \`${source}\` into \`${storePaths().images}\`: ${why}`,
      {
        advice: 'remove what is not needed (tsbox images, tsbox rmi), or set TSBOX_ROOT to another disk',
        cause: error,
      },
    );
  }
  if (!OF_THE_ARCHIVE.has(code)) return error;
  return new TsboxError(code, `cannot ${doing} \`${source}\`: ${message}`, {
    ...(advice ? { advice } : {}),
    cause: error,
  });
}

const OF_THE_ARCHIVE = new Set([
  'BAD_MANIFEST',
  'BAD_ARCHIVE',
  'UNSAFE_ARCHIVE',
  'BAD_BLOB',
  'UNSUPPORTED_LAYER',
]);
