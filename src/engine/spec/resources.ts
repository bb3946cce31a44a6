import type { Resources } from '../../runtime/spec.ts';
import type { Host } from '../host.ts';
import {
  badOption,
  cpuPeriod,
  parseBytes,
  parseCpus,
  parseCpuset,
  parseInteger,
  parseThrottle,
  readList,
} from '../options/index.ts';
import type { RunOptions } from '../run-options.ts';

/**
 * The limits in the specification's terms, which are cgroup v1's, by Docker's rules. Only what was asked for is there: a limit that is not set is no limit.
 *
 * @throws BAD_OPTION
 */
export function buildResources(options: RunOptions, host: Host): Resources {
  const resources: Resources = {};
  const memory = memoryLimits(options);
  if (Object.keys(memory).length > 0) resources.memory = memory;
  const cpu = cpuLimits(options, host);
  if (Object.keys(cpu).length > 0) resources.cpu = cpu;
  const pids = integer('--pids-limit', options.pidsLimit, -1, 4194304, '100') ?? 0;
  if (pids > 0) resources.pids = { limit: pids };
  const blockIO = blockLimits(options, host);
  if (Object.keys(blockIO).length > 0) resources.blockIO = blockIO;
  const weight = integer('--cpu-weight', options.cpuWeight, 1, 10000, '100');
  if (weight !== undefined) {
    if (options.cpuShares) throw badOption('--cpu-weight', weight, 'cannot be combined with --cpu-shares');
    resources.unified = { 'cpu.weight': String(weight) };
  }
  return resources;
}

/** Docker's least: less does not hold what a process needs to start. */
const leastMemory = 6 * 1024 * 1024;

function memoryLimits(options: RunOptions): NonNullable<Resources['memory']> {
  const memory: NonNullable<Resources['memory']> = {};
  const limit = bytes('--memory', options.memory);
  const reservation = bytes('--memory-reservation', options.memoryReservation);
  const unlimitedSwap = String(options.memorySwap) === '-1';
  const swap = unlimitedSwap ? -1 : bytes('--memory-swap', options.memorySwap);
  for (const [flag, amount, given] of [
    ['--memory', limit, options.memory],
    ['--memory-reservation', reservation, options.memoryReservation],
  ] as const) {
    if (amount !== undefined && amount < leastMemory)
      throw badOption(flag, given, 'the least is 6 MiB', '64m');
  }
  if (limit !== undefined) memory.limit = limit;
  if (reservation !== undefined) {
    if (limit !== undefined && reservation > limit) {
      throw badOption('--memory-reservation', options.memoryReservation, 'above the limit of --memory');
    }
    memory.reservation = reservation;
  }
  if (swap !== undefined && !unlimitedSwap) {
    if (limit === undefined) throw badOption('--memory-swap', options.memorySwap, 'needs --memory');
    if (swap < limit) {
      throw badOption(
        '--memory-swap',
        options.memorySwap,
        'is memory and swap together, so not below --memory',
      );
    }
  }
  if (limit !== undefined) memory.swap = swap ?? limit * 2;
  return memory;
}

function cpuLimits(options: RunOptions, host: Host): NonNullable<Resources['cpu']> {
  const cpu: NonNullable<Resources['cpu']> = {};
  const online = () => host.readText('/sys/devices/system/cpu/online')?.trim() ?? '0';
  const shares = integer('--cpu-shares', options.cpuShares || undefined, 2, 262144, '512');
  if (shares !== undefined) cpu.shares = shares;
  if (options.cpus !== undefined) {
    const quota = parseCpus('--cpus', options.cpus, readList(online())?.length ?? 1);
    if (quota !== undefined) {
      if (options.cpuPeriod) throw badOption('--cpus', options.cpus, 'cannot be combined with --cpu-period');
      if (options.cpuQuota) throw badOption('--cpus', options.cpus, 'cannot be combined with --cpu-quota');
      cpu.quota = quota;
      cpu.period = cpuPeriod;
    }
  }
  // The kernel's bounds of both are a millisecond and a second. Documentation/scheduler/sched-bwc.rst.
  const period = integer('--cpu-period', options.cpuPeriod || undefined, 1000, 1_000_000, '100000');
  if (period !== undefined) cpu.period = period;
  if (options.cpuQuota !== undefined && options.cpuQuota > 0) {
    cpu.quota = parseInteger('--cpu-quota', options.cpuQuota, 1000, Number.MAX_SAFE_INTEGER, '50000');
  }
  if (options.cpusetCpus) {
    parseCpuset('--cpuset-cpus', options.cpusetCpus, online());
    cpu.cpus = options.cpusetCpus;
  }
  if (options.cpusetMems) {
    // A kernel without NUMA has one node and no such file.
    const nodes = host.readText('/sys/devices/system/node/online') ?? '0';
    parseCpuset('--cpuset-mems', options.cpusetMems, nodes);
    cpu.mems = options.cpusetMems;
  }
  return cpu;
}

function blockLimits(options: RunOptions, host: Host): NonNullable<Resources['blockIO']> {
  const blockIO: NonNullable<Resources['blockIO']> = {};
  const weight = integer('--blkio-weight', options.blkioWeight || undefined, 10, 1000, '500');
  if (weight !== undefined) blockIO.weight = weight;
  for (const [field, flag, values, unit] of [
    ['throttleReadBpsDevice', '--device-read-bps', options.deviceReadBps, 'bytes'],
    ['throttleWriteBpsDevice', '--device-write-bps', options.deviceWriteBps, 'bytes'],
    ['throttleReadIOPSDevice', '--device-read-iops', options.deviceReadIops, 'operations'],
    ['throttleWriteIOPSDevice', '--device-write-iops', options.deviceWriteIops, 'operations'],
  ] as const) {
    if (values?.length) blockIO[field] = values.map((value) => parseThrottle(flag, value, unit, host));
  }
  return blockIO;
}

/** Undefined for 0 too, which is Docker's word for no limit. */
function bytes(flag: string, value: string | number | undefined): number | undefined {
  return value === undefined ? undefined : parseBytes(flag, value) || undefined;
}

function integer(flag: string, value: number | undefined, minimum: number, maximum: number, example: string) {
  return value === undefined ? undefined : parseInteger(flag, value, minimum, maximum, example);
}
