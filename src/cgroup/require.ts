import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { TsboxError } from '../kernel/error.ts';
import { badLimit } from './bounds.ts';
import type { CgroupHost } from './host.ts';
import { parseList } from './limit-cpu.ts';
import type { LimitWrite } from './limit-write.ts';

/**
 * Refuses a limit that this host cannot keep, before anything is made. A limit is never silently left out; only a
 * write that says "unlimited" is, where there is no controller to say it to.
 *
 * @returns the writes to make
 * @throws {TsboxError} LIMIT_UNAVAILABLE naming the controller, with the boot option that brings it; BAD_LIMIT for a CPU or a
 *   memory node that is not there
 */
export function requireControllers(host: CgroupHost, writes: readonly LimitWrite[]): LimitWrite[] {
  return writes.filter((write) => {
    const there = write.controller === 'cgroup' || host.controllers.includes(write.controller);
    if (there && write.controller === 'cpuset') requireInSet(host, write);
    if (there) return true;
    if (isUnlimited(write)) return false;
    throw unavailable(host, write);
  });
}

/**
 * Refuses a limit whose file this kernel does not have, though it has the controller, and chooses between a file and its alternative.
 * To be called after `prepareParents`: the group itself is not there yet, but its parent has the same files.
 *
 * @param path the group's
 * @returns the writes to make
 * @throws {TsboxError} LIMIT_UNAVAILABLE
 */
export function requireFiles(path: string, writes: readonly LimitWrite[]): LimitWrite[] {
  const parent = dirname(path);
  // The root of the whole hierarchy has no limits, and so none of these files: nothing can be learned there.
  if (writes.length === 0 || !existsSync(join(parent, 'cgroup.type'))) return [...writes];
  const made: LimitWrite[] = [];
  for (const write of writes) {
    const file =
      write.instead !== undefined && existsSync(join(parent, write.instead.file)) ? write.instead : write;
    if (existsSync(join(parent, file.file))) made.push({ ...write, file: file.file, value: file.value });
    else if (!isUnlimited(write) && !keptAnyway(write)) throw missingFile(write);
  }
  return made;
}

function isUnlimited({ file, value }: LimitWrite): boolean {
  return value === 'max' || (file === 'cpu.max' && value.startsWith('max '));
}

/** Without swap accounting there is no memory.swap.max, and where there is no swap either, nothing is lost. */
function keptAnyway({ file }: LimitWrite): boolean {
  return file === 'memory.swap.max' && readFileSync('/proc/swaps', 'latin1').trim().split('\n').length < 2;
}

function unavailable(host: CgroupHost, { limit, controller }: LimitWrite): TsboxError {
  const v1 = host.v1[controller === 'io' ? 'blkio' : controller];
  if (v1 !== undefined) {
    return new TsboxError(
      'LIMIT_UNAVAILABLE',
      `${limit} cannot be kept: the \`${controller}\` controller belongs to cgroup v1 on this host (${v1})`,
      {
        advice: 'boot with `systemd.unified_cgroup_hierarchy=1`, or without systemd with `cgroup_no_v1=all`',
      },
    );
  }
  const has = host.controllers.length === 0 ? 'none' : host.controllers.join(', ');
  return new TsboxError(
    'LIMIT_UNAVAILABLE',
    `${limit} cannot be kept: cgroup v2 has no \`${controller}\` controller here (${host.mountPoint} has: ${has})`,
    {
      advice:
        host.mode === 'hybrid'
          ? 'boot with `systemd.unified_cgroup_hierarchy=1`, or without systemd with `cgroup_no_v1=all`'
          : `look for \`cgroup_disable=${controller}\` in /proc/cmdline (boot with \`cgroup_enable=${controller}\`); inside a container, the outer one must be given the controller`,
    },
  );
}

function missingFile({ limit, file }: LimitWrite): TsboxError {
  return new TsboxError('LIMIT_UNAVAILABLE', `${limit} cannot be kept: this kernel has no ${file}`, {
    advice: MISSING_FILE_ADVICE[file] ?? 'a newer kernel, or one built with the option, has it',
  });
}

const MISSING_FILE_ADVICE: Record<string, string> = {
  'memory.swap.max': 'boot with `swapaccount=1`',
  'cpu.idle': 'cpu.idle needs Linux 5.15',
  'io.weight': 'weights need the BFQ scheduler (`modprobe bfq`) or a kernel with CONFIG_BLK_CGROUP_IOCOST',
  'io.max': 'the kernel must be built with CONFIG_BLK_DEV_THROTTLING',
};

/** cgroup v2 takes a list of CPUs that do not exist and then uses the parent's: the limit would be ignored without a word. */
function requireInSet(host: CgroupHost, { file, value, limit }: LimitWrite): void {
  if (file !== 'cpuset.cpus' && file !== 'cpuset.mems') return;
  const available = readFileSync(join(host.mountPoint, `${file}.effective`), 'latin1').trim();
  const ranges = parseList(available);
  for (const [first, last] of parseList(value) ?? []) {
    if (!ranges?.some(([low, high]) => first >= low && last <= high)) {
      badLimit(limit, value, `among those of this machine, ${available}`);
    }
  }
}
