import { TsboxError } from '../../kernel/index.ts';
import type { IdMapping } from '../../runtime/spec.ts';
import { didYouMean } from '../../suggest.ts';
import { badOption } from './bad-option.ts';

export interface IdMaps {
  uidMappings: IdMapping[];
  gidMappings: IdMapping[];
}

export interface IdRange {
  hostID: number;
  size: number;
}

/**
 * The maps of a container's user namespace; undefined for `host`, the default: none.
 *
 * - `auto`: 65536 ids of its own, see {@link automaticRange}.
 * - `UID:GID:SIZE`: root of the container is the host's UID and GID, and so on for SIZE ids.
 * - `CONTAINER:HOST:SIZE[,…]`: maps as in user_namespaces(7), for users and groups alike.
 *
 * The last two look alike where there is one map. One that begins with 0 is of the last kind: a container needs a root, and
 * `0:…` read as a host's UID would make that the host's root, which is what user namespaces are to prevent.
 *
 * @param taken ranges of ids that are in use on the host; asked for only with `auto`
 * @throws BAD_OPTION
 */
export function parseUserNamespace(
  flag: string,
  value: string,
  id: string,
  taken: () => readonly IdRange[],
): IdMaps | undefined {
  if (value === 'host') return undefined;
  if (value === 'auto') {
    const mapping = { containerID: 0, hostID: automaticRange(id, taken()), size: rangeSize };
    return { uidMappings: [mapping], gidMappings: [mapping] };
  }
  const triples = value.split(',').map((part) => readTriple(flag, value, part));
  const [first] = triples;
  if (triples.length === 1 && first !== undefined && first[0] !== 0) {
    const [uid, gid, size] = first;
    checkMaps(flag, value, [{ containerID: 0, hostID: gid, size }]);
    return {
      uidMappings: checkMaps(flag, value, [{ containerID: 0, hostID: uid, size }]),
      gidMappings: [{ containerID: 0, hostID: gid, size }],
    };
  }
  const mappings = triples.map(([containerID, hostID, size]) => ({ containerID, hostID, size }));
  return { uidMappings: checkMaps(flag, value, mappings), gidMappings: mappings };
}

const example = '0:100000:65536';
const rangeSize = 65536;
/** What systemd's UIDS-GIDS.md sets apart for containers: no user or service of a host has an id in there. */
const firstId = 524288;
const lastId = 1879048191;

/**
 * The first id of 65536 that no other container has: a place in the range for containers that follows from the container's id, and from there on
 * the next that is free. So no file or lock is needed to share the range out: two containers that start at once, and do not see each other yet,
 * would have to fall on the same of 28,664 places; those that run are in `taken`.
 *
 * @throws NO_IDS when all are in use
 */
export function automaticRange(id: string, taken: readonly IdRange[]): number {
  const places = Math.floor((lastId + 1 - firstId) / rangeSize);
  const start = hash(id) % places;
  for (let step = 0; step < places; step++) {
    const hostID = firstId + ((start + step) % places) * rangeSize;
    if (taken.every((range) => range.hostID >= hostID + rangeSize || range.hostID + range.size <= hostID))
      return hostID;
  }
  throw new TsboxError('NO_IDS', 'no range of 65536 user ids is free for another container');
}

/** FNV-1a, 32 bits: it only has to scatter, and loading node:crypto would cost every start milliseconds. */
function hash(text: string): number {
  let state = 0x811c9dc5;
  for (let index = 0; index < text.length; index++) {
    state = Math.imul(state ^ text.charCodeAt(index), 0x01000193);
  }
  return state >>> 0;
}

/** The ranges of /etc/subuid or /etc/subgid: `NAME:FIRST:COUNT` lines; others are left out. subuid(5). */
export function parseSubordinateIds(text: string): IdRange[] {
  return [...text.matchAll(/^[^:\n]+:(\d+):(\d+)$/gm)].map((match) => ({
    hostID: Number(match[1]),
    size: Number(match[2]),
  }));
}

function readTriple(flag: string, value: string, part: string): [number, number, number] {
  const match = /^(\d+):(\d+):(\d+)$/.exec(part);
  if (match === null) {
    const meant = didYouMean(value, ['auto', 'host']);
    throw badOption(flag, value, `not host, auto, UID:GID:SIZE or CONTAINER:HOST:SIZE[,…]${meant}`, example);
  }
  return [Number(match[1]), Number(match[2]), Number(match[3])];
}

function checkMaps(flag: string, value: string, maps: IdMapping[]): IdMapping[] {
  // 4294967295 is (uid_t)-1, "no change", and no id; 340 maps are the kernel's limit since 4.15. user_namespaces(7).
  const fits = (first: number, size: number) => size > 0 && first + size <= 4294967295;
  if (
    !maps.every((map) => fits(map.containerID, map.size) && fits(map.hostID, map.size)) ||
    maps.length > 340
  ) {
    throw badOption(flag, value, 'ids are from 0 to 4294967294, in 1 to 340 maps of at least one', example);
  }
  for (const side of ['containerID', 'hostID'] as const) {
    const sorted = [...maps].sort((a, b) => a[side] - b[side]);
    const overlap = sorted.some((map, index) => {
      const next = sorted[index + 1];
      return next !== undefined && map[side] + map.size > next[side];
    });
    if (overlap) throw badOption(flag, value, 'the maps overlap', example);
  }
  if (!maps.some((map) => map.containerID === 0)) {
    throw badOption(flag, value, 'the container’s root (id 0) is not mapped', example);
  }
  return maps;
}
