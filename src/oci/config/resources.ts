import type { Resources } from '../../runtime/spec.ts';
import {
  bool,
  I64,
  listOf,
  mapOf,
  quote,
  type Reader,
  refuse,
  shape,
  text,
  U16,
  U32,
  U64,
  whole,
} from './readers.ts';

/** `linux.resources`, also that of `update --resources` (config-linux.md, "Control groups"). @throws {TsboxError} BAD_CONFIG */
export function readResources(value: unknown, at: string): Resources {
  const found = RESOURCES(value, at);
  const { memory, cpu, blockIO } = found;
  if (cpu?.realtimeRuntime || cpu?.realtimePeriod)
    refuse(`${at}.cpu.realtimeRuntime`, 'cgroup v2 has no real-time limits');
  if (found.network && (found.network.classID || found.network.priorities?.length))
    refuse(`${at}.network`, 'cgroup v2 has neither class ids nor priorities of network interfaces');
  if (blockIO?.leafWeight) refuse(`${at}.blockIO.leafWeight`, 'cgroup v2 has no such weight');
  if (blockIO?.weightDevice?.length)
    refuse(
      `${at}.blockIO.weightDevice`,
      'weights of single devices are not supported',
      'give `unified` the file io.bfq.weight',
    );
  // Swappiness, kernel and kernelTCP, which v2 does not have, limit nothing: left out, as runc and crun do.
  const unified: Record<string, string> = { ...unifiedOf(found), ...found.unified };
  return {
    ...(found.devices && { devices: found.devices }),
    ...(memory && {
      memory: {
        ...(memory.limit !== undefined && { limit: memory.limit }),
        ...(memory.reservation !== undefined && { reservation: memory.reservation }),
        ...(memory.swap !== undefined && { swap: memory.swap }),
        ...(memory.disableOOMKiller !== undefined && { disableOOMKiller: memory.disableOOMKiller }),
      },
    }),
    ...(cpu && { cpu: withoutRealtime(cpu) }),
    ...(found.pids && { pids: found.pids }),
    ...(blockIO && { blockIO: throttles(blockIO) }),
    ...(Object.keys(unified).length > 0 && { unified }),
  };
}

/** What is a file of v2 by another name: hugetlb.<size>.max, rdma.max. */
function unifiedOf({ hugepageLimits = [], rdma = {} }: ReturnType<typeof RESOURCES>): Record<string, string> {
  const files: Record<string, string> = {};
  for (const { pageSize, limit } of hugepageLimits) files[`hugetlb.${pageSize}.max`] = String(BigInt(limit));
  const lines = Object.entries(rdma).map(([device, { hcaHandles, hcaObjects }]) =>
    [
      device,
      hcaHandles === undefined ? '' : `hca_handle=${hcaHandles}`,
      hcaObjects === undefined ? '' : `hca_object=${hcaObjects}`,
    ]
      .filter(Boolean)
      .join(' '),
  );
  if (lines.length > 0) files['rdma.max'] = lines.join('\n');
  return files;
}

function withoutRealtime(
  cpu: NonNullable<ReturnType<typeof RESOURCES>['cpu']>,
): NonNullable<Resources['cpu']> {
  const { realtimePeriod: _, realtimeRuntime: __, ...rest } = cpu;
  return rest;
}

function throttles(
  blockIO: NonNullable<ReturnType<typeof RESOURCES>['blockIO']>,
): NonNullable<Resources['blockIO']> {
  const { leafWeight: _, weightDevice: __, ...rest } = blockIO;
  return rest;
}

const pageSize: Reader<string> = (value, at) => {
  const found = text({ most: 32 })(value, at);
  if (!/^\d{1,12}(B|KB|MB|GB)$/.test(found)) refuse(at, `expected a size such as 2MB, found ${quote(found)}`);
  return found;
};

const unifiedFile: Reader<Record<string, string>> = (value, at) => {
  const found = mapOf(text({ most: 4096 }), 1024)(value, at);
  for (const name of Object.keys(found))
    if (!/^[a-z0-9_]+\.[A-Za-z0-9_.]+$/.test(name))
      refuse(`${at}[${quote(name)}]`, 'is not the name of a file of cgroup v2');
  return found;
};

const access: Reader<string> = (value, at) => {
  const found = text({ most: 3 })(value, at);
  if (!/^[rwm]*$/.test(found)) refuse(at, `expected a combination of r, w and m, found ${quote(found)}`);
  return found || 'rwm';
};

const number = whole(-1, 2 ** 32 - 1);
const throttle = listOf(shape({ major: U32, minor: U32, rate: U64 }, {}));

const RESOURCES = shape(
  {},
  {
    devices: listOf(
      shape(
        { allow: bool },
        {
          type: text({ oneOf: ['a', 'b', 'c'] }) as Reader<'a' | 'b' | 'c'>,
          major: number,
          minor: number,
          access,
        },
      ),
    ),
    memory: shape(
      {},
      {
        limit: I64,
        reservation: I64,
        swap: I64,
        kernel: I64,
        kernelTCP: I64,
        swappiness: U64,
        disableOOMKiller: bool,
        useHierarchy: bool,
        checkBeforeUpdate: bool,
      },
    ),
    cpu: shape(
      {},
      {
        shares: U64,
        quota: I64,
        burst: U64,
        period: U64,
        realtimeRuntime: I64,
        realtimePeriod: U64,
        cpus: text({ most: 4096 }),
        mems: text({ most: 4096 }),
        idle: I64,
      },
    ),
    pids: shape({}, { limit: I64 }) as Reader<{ limit: number }>,
    blockIO: shape(
      {},
      {
        weight: U16,
        leafWeight: U16,
        weightDevice: listOf(shape({ major: U32, minor: U32 }, { weight: U16, leafWeight: U16 })),
        throttleReadBpsDevice: throttle,
        throttleWriteBpsDevice: throttle,
        throttleReadIOPSDevice: throttle,
        throttleWriteIOPSDevice: throttle,
      },
    ),
    hugepageLimits: listOf(shape({ pageSize, limit: U64 }, {})),
    network: shape({}, { classID: U32, priorities: listOf(shape({ name: text(), priority: U32 }, {})) }),
    rdma: mapOf(shape({}, { hcaHandles: U32, hcaObjects: U32 })),
    unified: unifiedFile,
  },
);
