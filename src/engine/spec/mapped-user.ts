import { TsboxError } from '../../kernel/index.ts';
import type { IdMapping, Linux } from '../../runtime/spec.ts';
import type { ResolvedUser } from '../options/index.ts';

/**
 * The user as far as the user namespace has its ids; there are no others in it, and the kernel answers EINVAL for them, which would
 * tell nobody which. Groups that only the image's /etc/group gives the user are left out where they are not mapped.
 *
 * @throws NO_USER for an id that was asked for
 */
export function mappedUser(user: ResolvedUser, { uidMappings, gidMappings }: Partial<Linux>): ResolvedUser {
  requireIds('user', [user.uid], uidMappings);
  requireIds('group', [user.gid, ...user.addedGids], gidMappings);
  return { ...user, additionalGids: user.additionalGids.filter((gid) => isMapped(gid, gidMappings)) };
}

function requireIds(kind: string, ids: readonly number[], maps: readonly IdMapping[] | undefined): void {
  const missing = ids.find((id) => !isMapped(id, maps));
  if (missing === undefined) return;
  throw new TsboxError('NO_USER', `the ${kind} ${missing} of the program is not in the map of --userns`, {
    advice: `map more ids: --userns auto has 0 to 65535`,
  });
}

function isMapped(id: number, maps: readonly IdMapping[] | undefined): boolean {
  return maps?.some((map) => id >= map.containerID && id < map.containerID + map.size) ?? true;
}
