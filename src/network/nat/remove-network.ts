import { type Command, concat, elements, table } from './json.ts';
import { withTableLock } from './lock.ts';
import { askNetfilter } from './nfnetlink.ts';
import { commit } from './nft.ts';
import { readInterfaces, readPublished } from './read-table.ts';
import { SETS } from './table.ts';

/**
 * Takes networks out of the table, and with the last one the table itself. What others have in it stays. Where they are not in it, no process is started.
 *
 * @param interfaces the names of their bridges
 * @returns whether there was something to remove
 * @throws {TsboxError} NO_NFT, NFT_FAILED, LOCK_TIMEOUT
 */
export function removeNetworkRules(interfaces: readonly string[]): boolean {
  if (bridges().every((name) => !interfaces.includes(name))) return false;
  return withTableLock(() => {
    const there = bridges();
    const ours = there.filter((name) => interfaces.includes(name));
    if (ours.length === 0) return false;
    const isLast = ours.length === there.length && (askNetfilter(readPublished) ?? []).length === 0;
    commit(isLast ? [{ delete: table() }] : removals(ours), 'remove a network');
    return true;
  });
}

function removals(interfaces: readonly string[]): Command[] {
  return Object.entries(SETS).flatMap(([set, type]) => {
    const there = askNetfilter((socket) => readInterfaces(socket, set)) ?? [];
    return interfaces
      .filter((name) => there.includes(name))
      .map((name) => ({ delete: elements(set, [typeof type === 'string' ? name : concat(name, name)]) }));
  });
}

function bridges(): string[] {
  return askNetfilter((socket) => readInterfaces(socket, 'bridges')) ?? [];
}
