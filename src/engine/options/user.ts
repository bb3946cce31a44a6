import { TsboxError } from '../../kernel/index.ts';
import { printable } from './bad-option.ts';

export interface ResolvedUser {
  uid: number;
  gid: number;
  /** The primary group first, then the others, once each: a program must not lose its own group with setgroups(2), CVE-2022-36109. */
  additionalGids: number[];
  /** Those of them that were asked for by `groupAdd`. */
  addedGids: number[];
  home: string;
}

/**
 * A user of the image, by Docker's rules. `spec` is `NAME|UID[:GROUP|GID]`, or empty for root. What is a number is never looked up as a name,
 * and needs no entry; with a group given there are no other groups, without one those that /etc/group lists the user in.
 * Lines that are malformed are as if not there.
 *
 * Source: moby/sys, user.GetExecUser and GetAdditionalGroups.
 * @param passwd the text of the image's /etc/passwd, where it has one
 * @param group the text of the image's /etc/group, where it has one
 * @param groupAdd further groups, names or numbers
 * @throws NO_USER for a name, or a group's name, that the image does not have, and for a number out of range
 */
export function resolveUser(
  spec: string,
  passwd: string | undefined,
  group: string | undefined,
  groupAdd: readonly (string | number)[] = [],
): ResolvedUser {
  const colon = spec.indexOf(':');
  const userPart = colon < 0 ? spec : spec.slice(0, colon);
  const groupPart = colon < 0 ? '' : spec.slice(colon + 1);
  const entry = findUser(userPart === '' ? '0' : userPart, passwd ?? '');
  const groups = readGroups(group ?? '');
  let gid = entry.gid;
  let others: number[] = [];
  if (groupPart !== '') gid = findGroup(groupPart, groups);
  else if (entry.name !== undefined) {
    others = groups.filter((each) => each.members.includes(entry.name as string)).map((each) => each.gid);
  }
  const added = groupAdd.map((each) => findGroup(String(each), groups));
  return {
    uid: entry.uid,
    gid,
    additionalGids: [...new Set([gid, ...others, ...added])],
    addedGids: added,
    home: entry.home,
  };
}

interface User {
  name?: string;
  uid: number;
  gid: number;
  home: string;
}

interface Group {
  name: string;
  gid: number;
  members: string[];
}

function findUser(wanted: string, passwd: string): User {
  const number = readNumber(wanted);
  for (const line of passwd.split('\n')) {
    const [name, , uidText = '', gidText = '', , home] = line.trim().split(':');
    const uid = readNumber(uidText);
    const gid = readNumber(gidText);
    if (!name || uid === undefined || gid === undefined) continue;
    if (number === undefined ? name !== wanted : uid !== number) continue;
    checkRange(uid, wanted);
    checkRange(gid, wanted);
    return { name, uid, gid, home: home?.startsWith('/') ? home : '/' };
  }
  if (number === undefined) {
    throw new TsboxError(
      'NO_USER',
      `unable to find user ${printable(wanted)}: no matching entries in passwd file`,
      {
        advice: 'The user must be in the image’s own /etc/passwd; a number needs no entry.',
      },
    );
  }
  checkRange(number, wanted);
  return { uid: number, gid: 0, home: '/' };
}

function readGroups(text: string): Group[] {
  const groups: Group[] = [];
  for (const line of text.split('\n')) {
    const [name, , gidText = '', members = ''] = line.trim().split(':');
    const gid = readNumber(gidText);
    if (name && gid !== undefined && gid <= highest) groups.push({ name, gid, members: members.split(',') });
  }
  return groups;
}

function findGroup(wanted: string, groups: Group[]): number {
  const number = readNumber(wanted);
  const found = number ?? groups.find((each) => each.name === wanted)?.gid;
  if (found === undefined) {
    throw new TsboxError(
      'NO_USER',
      `unable to find group ${printable(wanted)}: no matching entries in group file`,
      {
        advice: 'The group must be in the image’s own /etc/group; a number needs no entry.',
      },
    );
  }
  checkRange(found, wanted);
  return found;
}

/** Docker's limit; a uid of 4294967295 would mean "no change" to setuid(2) and its kin, and so root. */
const highest = 2147483647;

function checkRange(id: number, wanted: string): void {
  if (id > highest) {
    throw new TsboxError(
      'NO_USER',
      `user ${printable(wanted)}: uids and gids must be in the range 0-${highest}`,
    );
  }
}

function readNumber(text: string): number | undefined {
  return /^\d+$/.test(text) ? Number(text) : undefined;
}
