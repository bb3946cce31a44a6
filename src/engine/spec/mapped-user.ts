import { TsboxError } from '../../kernel/index.ts';
import type { IdMapping, Linux } from '../../runtime/spec.ts';
import type { ResolvedUser } from '../options/index.ts';

/**
 * In a user namespace only ids that are mapped exist; the kernel answers EINVAL for the others, which would tell nobody which.
 *
 * @throws NO_USER
 */
export function checkMapped(user: ResolvedUser, { uidMappings, gidMappings }: Partial<Linux>): void {
  requireIds('user', [user.uid], uidMappings);
  requireIds('group', [user.gid, ...user.additionalGids], gidMappings);
}

function requireIds(kind: string, ids: readonly number[], maps: readonly IdMapping[] | undefined): void {
  if (maps === undefined) return;
  const missing = ids.find(
    (id) => !maps.some((map) => id >= map.containerID && id < map.containerID + map.size),
  );
  if (missing === undefined) return;
  throw new TsboxError('NO_USER', `the ${kind} ${missing} of the program is not in the map of --userns`, {
    advice: `map more ids: --userns auto has 0 to 65535`,
  });
}
