import type { Spec } from '../../runtime/spec.ts';
import { parseRestartPolicy } from '../life/restart-policy.ts';
import type { ContainerRecord } from '../record.ts';
import { networkOf } from './network-settings.ts';

/** `HostConfig` of Docker's API: what of a container depends on the host. Where nothing was asked for, the values that Docker has for nothing. */
export function describeHostConfig(record: ContainerRecord, spec: Spec): Record<string, unknown> {
  const { options = {} } = record;
  const { name, maximum } = parseRestartPolicy(options.restart);
  return {
    Binds: options.volumes ?? null,
    ContainerIDFile: options.cidfile ?? '',
    LogConfig: { Type: options.logDriver ?? 'cri', Config: options.logOpts ?? {} },
    NetworkMode: networkOf(record).mode,
    PortBindings: portBindings(record),
    RestartPolicy: { Name: name, MaximumRetryCount: maximum },
    AutoRemove: record.rm,
    ...{ VolumeDriver: '', VolumesFrom: null },
    ConsoleSize: [0, 0],
    CapAdd: options.capAdd ?? null,
    CapDrop: options.capDrop ?? null,
    CgroupnsMode: options.cgroupns ?? 'private',
    Dns: options.dns ?? [],
    DnsOptions: options.dnsOption ?? [],
    DnsSearch: options.dnsSearch ?? [],
    ExtraHosts: options.addHost ?? null,
    GroupAdd: options.groupAdd?.map(String) ?? null,
    IpcMode: options.ipc ?? 'private',
    ...{ Cgroup: '', Links: null },
    OomScoreAdj: options.oomScoreAdj ?? 0,
    PidMode: options.pid === 'host' ? 'host' : '',
    Privileged: options.privileged ?? false,
    PublishAllPorts: options.publishAll ?? false,
    ReadonlyRootfs: spec.root.readonly ?? false,
    SecurityOpt: options.securityOpt ?? null,
    Tmpfs: tmpfs(options.tmpfs),
    UTSMode: options.uts === 'host' ? 'host' : '',
    UsernsMode: options.userns ?? '',
    ShmSize: shmSize(spec),
    Sysctls: options.sysctls ?? null,
    Runtime: 'tsbox',
    Init: options.init ?? false,
    ...limits(spec),
    CgroupParent: options.cgroupParent ?? '',
    Devices: (options.devices ?? []).map(device),
    DeviceCgroupRules: options.deviceCgroupRules ?? null,
    DeviceRequests: null,
    Ulimits: (spec.process.rlimits ?? []).map(({ type, soft, hard }) => ({
      Name: type.replace(/^RLIMIT_/, '').toLowerCase(),
      Hard: hard,
      Soft: soft,
    })),
    MaskedPaths: spec.linux.maskedPaths ?? [],
    ReadonlyPaths: spec.linux.readonlyPaths ?? [],
  };
}

/** As they were asked for: without a port of the host where any was. */
function portBindings(record: ContainerRecord): Record<string, { HostIp: string; HostPort: string }[]> {
  const bindings: Record<string, { HostIp: string; HostPort: string }[]> = {};
  for (const { hostAddress = '', hostPort, hostPortEnd, containerPort, protocol } of networkOf(record)
    .published ?? []) {
    const range = hostPortEnd === undefined ? '' : `-${hostPortEnd}`;
    const HostPort = hostPort === undefined ? '' : `${hostPort}${range}`;
    const name = `${containerPort}/${protocol}`;
    bindings[name] = [...(bindings[name] ?? []), { HostIp: hostAddress, HostPort }];
  }
  return bindings;
}

/** From the configuration, so that they are numbers, whatever units they were given in. */
function limits({ linux }: Spec): Record<string, unknown> {
  const { memory, cpu, pids, blockIO } = linux.resources ?? {};
  const throttles = (
    name:
      | 'throttleReadBpsDevice'
      | 'throttleWriteBpsDevice'
      | 'throttleReadIOPSDevice'
      | 'throttleWriteIOPSDevice',
  ) => (blockIO?.[name] ?? []).map(({ major, minor, rate }) => ({ Path: `${major}:${minor}`, Rate: rate }));
  const { quota = 0, period = 0 } = cpu ?? {};
  return {
    CpuShares: cpu?.shares ?? 0,
    Memory: memory?.limit ?? 0,
    NanoCpus: quota > 0 && period > 0 ? Math.round((quota / period) * 1e9) : 0,
    BlkioWeight: blockIO?.weight ?? 0,
    BlkioDeviceReadBps: throttles('throttleReadBpsDevice'),
    BlkioDeviceWriteBps: throttles('throttleWriteBpsDevice'),
    BlkioDeviceReadIOps: throttles('throttleReadIOPSDevice'),
    BlkioDeviceWriteIOps: throttles('throttleWriteIOPSDevice'),
    CpuPeriod: period,
    CpuQuota: quota,
    CpusetCpus: cpu?.cpus ?? '',
    CpusetMems: cpu?.mems ?? '',
    MemoryReservation: memory?.reservation ?? 0,
    MemorySwap: memory?.swap ?? 0,
    MemorySwappiness: null,
    OomKillDisable: null,
    PidsLimit: pids?.limit ?? null,
  };
}

function tmpfs(values: readonly string[] | undefined): Record<string, string> | null {
  if (values === undefined) return null;
  const split = values.map((value): [string, string] => {
    const colon = value.indexOf(':');
    return colon < 0 ? [value, ''] : [value.slice(0, colon), value.slice(colon + 1)];
  });
  return Object.fromEntries(split);
}

/** Bytes; 64 MiB where the size was left to tsbox. */
function shmSize({ mounts }: Spec): number {
  const options = mounts.find(({ destination }) => destination === '/dev/shm')?.options ?? [];
  const [, number, unit = ''] =
    options.map((option) => /^size=(\d+)([kmg]?)$/.exec(option)).find((match) => match !== null) ?? [];
  return number === undefined ? 0 : Number(number) * 1024 ** ' kmg'.indexOf(unit || ' ');
}

function device(value: string): Record<string, string> {
  const [host = '', inside, access] = value.split(':');
  const isAccess = inside !== undefined && /^[rwm]+$/.test(inside);
  return {
    PathOnHost: host,
    PathInContainer: inside === undefined || isAccess ? host : inside,
    CgroupPermissions: access ?? (isAccess ? inside : 'rwm'),
  };
}
