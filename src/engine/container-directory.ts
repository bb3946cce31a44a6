import {
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  mkdirSync,
  openSync,
  readlinkSync,
  symlinkSync,
  unlinkSync,
} from 'node:fs';
import { join } from 'node:path';
import { v4 as randomUuid } from 'uuid';
import { lockFile, lockWithin, removeTree, syscall, TsboxError } from '../kernel/index.ts';
import { containersDirectory, namesDirectory } from './paths.ts';
import { randomName } from './random-name.ts';

/**
 * A container's directory, and the lock on it that says "somebody takes care of this one". The lock is an flock(2) on the directory's descriptor:
 * the kernel lets go of it whatever becomes of its owner, so a container whose lock is free but whose record says
 * `running` is one whose tsbox was killed.
 */
export interface ContainerDirectory {
  id: string;
  name: string;
  path: string;
  /** Holds the lock. */
  fd: number;
}

/** 64 hexadecimal digits, of which 244 bits are random: as long as Docker's, because tools expect that. */
export function newContainerId(): string {
  // From the kernel: the random bytes of `crypto` would have Node load Web Crypto first, which takes 7 ms.
  const random = Buffer.alloc(32);
  syscall('getrandom', [random, random.length, 0], { doing: 'choose an id' });
  const uuid = (from: number) => randomUuid({ random: random.subarray(from, from + 16) });
  return `${uuid(0)}${uuid(16)}`.replaceAll('-', '');
}

/**
 * Makes and locks the directory of a new container and takes its name.
 *
 * @param name undefined for one that is made up
 * @throws {TsboxError} NAME_IN_USE
 */
export function makeContainerDirectory(id: string, name: string | undefined): ContainerDirectory {
  const path = join(containersDirectory(), id);
  const fd = makeLocked(path);
  try {
    mkdirSync(`${path}/upper`, 0o755);
    mkdirSync(`${path}/work`, 0o700);
    return { id, path, fd, name: takeName(id, name) };
  } catch (error) {
    removeTree(path);
    closeSync(fd);
    throw error;
  }
}

/** Between mkdir and flock the directory looks abandoned, and a sweep may take it away: then again. */
function makeLocked(path: string): number {
  for (;;) {
    makeOne(path);
    const fd = openIfThere(path);
    if (fd === undefined) continue;
    if (lockWithin(fd, 'a new container') && fstatSync(fd).nlink > 0) return fd;
    closeSync(fd);
  }
}

/** Not with `recursive` at once: Node then says ENOENT where the disk is read-only. */
function makeOne(path: string): void {
  try {
    mkdirSync(path, 0o700);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') mkdirSync(path, { recursive: true, mode: 0o700 });
    else if (code !== 'EEXIST') throw error;
  }
}

function openIfThere(path: string): number | undefined {
  try {
    return openSync(path, constants.O_RDONLY | constants.O_DIRECTORY);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

/** The lock of somebody else's container: its descriptor if it was free, undefined if its owner lives or the container is gone. */
export function lockAbandoned(id: string): number | undefined {
  let fd: number;
  try {
    fd = openSync(`${containersDirectory()}/${id}`, constants.O_RDONLY | constants.O_DIRECTORY);
  } catch {
    return undefined;
  }
  if (lockFile(fd, 'exclusive', { wait: false }) && fstatSync(fd).nlink > 0) return fd;
  closeSync(fd);
  return undefined;
}

/**
 * Removes all of it, with the name; the caller holds the lock. The record first: what is left by a crash on the way has no record and no owner, which
 * the next sweep removes. The name last: a name leads to a container or is free.
 */
export function removeContainerDirectory(id: string, name: string | undefined): void {
  const path = join(containersDirectory(), id);
  removeTree(join(path, 'container.json'));
  for (let attempt = 1; ; attempt++) {
    try {
      removeTree(path);
      break;
    } catch (error) {
      // Somebody was just about to change its record, and has put a file into it meanwhile.
      if ((error as { code?: unknown }).code !== 'ENOTEMPTY' || attempt === 100) throw error;
    }
  }
  if (name !== undefined) releaseName(name, id);
}

/** Under a lock: of two that release a name, the slower one would take it from whoever took it in between. */
export function releaseName(name: string, id: string): void {
  if (nameOwner(name) !== id) return;
  const lock = lockWithin(namesDirectory(), 'the directory of names');
  try {
    if (nameOwner(name) === id) unlinkSync(join(namesDirectory(), name));
  } finally {
    lock.release();
  }
}

/** The id that a name stands for. */
export function nameOwner(name: string): string | undefined {
  try {
    const link = join(namesDirectory(), name);
    // Not by an exception where there is none, which costs more than asking.
    return lstatSync(link, { throwIfNoEntry: false }) === undefined ? undefined : readlinkSync(link);
  } catch {
    return undefined;
  }
}

/** @throws {TsboxError} NAME_IN_USE */
export function takeName(id: string, asked: string | undefined): string {
  for (let attempt = 0; ; attempt++) {
    const name = asked ?? randomName(attempt);
    try {
      symlinkSync(id, join(namesDirectory(), name));
      return name;
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === 'ENOENT' && attempt === 0) {
        mkdirSync(namesDirectory(), { recursive: true, mode: 0o700 });
        continue;
      }
      if (code !== 'EEXIST') throw error;
      if (asked === undefined) continue;
      throw new TsboxError(
        'NAME_IN_USE',
        `the name \`${asked}\` is already used by container ${nameOwner(asked)?.slice(0, 12)}`,
        {
          advice: `remove that one (tsbox rm ${asked}) or choose another name`,
        },
      );
    }
  }
}
