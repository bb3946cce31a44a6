import { describe, expect, test } from 'vitest';
import { controllersOf, limitWrites } from '../../../src/cgroup/limits.ts';
import type { Resources } from '../../../src/runtime/spec.ts';

/** The files and their contents, `file=value`. */
const files = (resources: Resources) => limitWrites(resources).map(({ file, value }) => `${file}=${value}`);

test('nothing asked for, nothing written', () => {
  expect(files({})).toEqual([]);
  expect(files({ memory: {}, cpu: {}, blockIO: {}, unified: {} })).toEqual([]);
});

// opencontainers/cgroups, utils_test.go, TestConvertMemorySwapToCgroupV2Value
describe('memory and swap', () => {
  test.each([
    [{ swap: 0, limit: 0 }, []],
    [{ swap: -1, limit: 0 }, ['memory.swap.max=max']],
    [{ swap: 300, limit: -1 }, ['memory.max=max', 'memory.swap.max=300']],
    [{ swap: -1, limit: -1 }, ['memory.max=max', 'memory.swap.max=max']],
    [{ swap: -1, limit: 1000 }, ['memory.max=1000', 'memory.swap.max=max']],
    [{ swap: 1000, limit: 1000 }, ['memory.max=1000', 'memory.swap.max=0']],
    [{ swap: 500, limit: 200 }, ['memory.max=200', 'memory.swap.max=300']],
    [{ limit: -1 }, ['memory.max=max', 'memory.swap.max=max']],
    [{ limit: 67_108_864, reservation: 1_048_576 }, ['memory.max=67108864', 'memory.low=1048576']],
  ])('%j', (memory, expected) => expect(files({ memory })).toEqual(expected));

  test.each([
    [{ swap: -2, limit: 0 }, 'the limit of memory and swap is -2: must be positive, or -1 for unlimited'],
    [
      { swap: 300, limit: 400 },
      'the limit of memory and swap is 300: must be no less than the memory limit, 400',
    ],
    [
      { swap: 300, limit: 0 },
      'the limit of memory and swap is 300: must be given together with a memory limit',
    ],
    [{ swap: 300, limit: -300 }, 'the memory limit is -300: must be positive, or -1 for unlimited'],
    [{ limit: 1.5 }, 'the memory limit is 1.5: must be a whole number'],
    [{ limit: 2 ** 53 }, 'the memory limit is 9007199254740992: must be a whole number'],
    [{ limit: Number.NaN, reservation: -5 }, 'the memory reservation is -5'],
    [{ limit: '64m' as unknown as number }, 'the memory limit is "64m": must be a whole number'],
  ])('refuses %j', (memory, message) => {
    expect(() => files({ memory })).toThrow(message);
    expect(() => files({ memory })).toThrow(expect.objectContaining({ code: 'BAD_LIMIT', exitCode: 125 }));
  });

  test('the OOM killer cannot be switched off in v2', () => {
    expect(() => files({ memory: { disableOOMKiller: true } })).toThrow(
      expect.objectContaining({ code: 'LIMIT_UNAVAILABLE' }),
    );
    expect(files({ memory: { disableOOMKiller: false } })).toEqual([]);
  });
});

describe('cpu', () => {
  // opencontainers/cgroups, utils_test.go, TestConvertCPUSharesToCgroupV2Value
  test.each([
    [1, 1],
    [2, 1],
    [3, 2],
    [1024, 100],
    [262_143, 10_000],
    [262_144, 10_000],
    [262_145, 10_000],
  ])('%i shares are a weight of %i', (shares, weight) => {
    expect(files({ cpu: { shares } })).toEqual([`cpu.weight=${weight}`]);
  });

  test('0 shares are none', () => expect(files({ cpu: { shares: 0 } })).toEqual([]));

  test.each([
    [{ quota: 50_000, period: 100_000 }, ['cpu.max=50000 100000']],
    [{ quota: 150_000 }, ['cpu.max=150000 100000']],
    [{ period: 20_000 }, ['cpu.max=max 20000']],
    [{ quota: -1 }, ['cpu.max=max 100000']],
    [{ quota: 0, period: 0 }, []],
    [{ quota: 20_000, burst: 10_000 }, ['cpu.max=20000 100000', 'cpu.max.burst=10000']],
    [{ idle: 1, shares: 1024 }, ['cpu.idle=1']],
    [{ idle: 0, shares: 1024 }, ['cpu.weight=100']],
    [{ cpus: '0-2,4', mems: '0' }, ['cpuset.cpus=0-2,4', 'cpuset.mems=0']],
    [{ cpus: '' }, []],
  ])('%j', (cpu, expected) => expect(files({ cpu })).toEqual(expected));

  test.each([
    [{ shares: -1 }, 'the CPU shares is -1'],
    [{ quota: 999 }, 'the CPU quota is 999: must be at least 1000 microseconds'],
    [{ quota: -2 }, 'the CPU quota is -2'],
    [{ quota: 5000, period: 999 }, 'the CPU period is 999: must be from 1000 to 1000000 microseconds'],
    [{ period: 1_000_001 }, 'the CPU period is 1000001'],
    [{ burst: 10 }, 'the CPU burst is 10: must be given together with a CPU quota'],
    [{ quota: 5000, burst: 5001 }, 'the CPU burst is 5001: must be from 0 to the CPU quota, 5000'],
    [{ idle: 2 }, 'cpu.idle is 2'],
    [{ cpus: '2-1' }, 'the list of CPUs is "2-1"'],
    [{ cpus: '0,' }, 'the list of CPUs is "0,"'],
    [{ cpus: '0\n1' }, 'the list of CPUs'],
    [{ cpus: '-1' }, 'the list of CPUs'],
    [{ mems: 'all' }, 'the list of memory nodes is "all": must be numbers and ranges, like 0-2,4'],
  ])('refuses %j', (cpu, message) => {
    expect(() => files({ cpu })).toThrow(message);
    expect(() => files({ cpu })).toThrow(expect.objectContaining({ code: 'BAD_LIMIT' }));
  });
});

describe('pids', () => {
  test.each([
    [100, 'pids.max=100'],
    [-1, 'pids.max=max'],
    [0, 'pids.max=max'],
    [4_194_304, 'pids.max=4194304'],
  ])('%i', (limit, expected) => expect(files({ pids: { limit } })).toEqual([expected]));

  test.each([[-2], [1.5], [4_194_305]])('refuses %d', (limit) => {
    expect(() => files({ pids: { limit } })).toThrow('the limit of processes');
  });
});

describe('block I/O', () => {
  // opencontainers/cgroups, utils_test.go, TestConvertBlkIOToIOWeightValue; 500 by hand: 1 + 490 × 9999 / 990 = 4950
  test.each([
    [10, '1'],
    [500, '4950'],
    [1000, '10000'],
  ])('a weight of %i', (weight, value) => {
    expect(limitWrites({ blockIO: { weight } })).toEqual([
      expect.objectContaining({
        file: 'io.weight',
        value,
        instead: { file: 'io.bfq.weight', value: String(weight) },
      }),
    ]);
  });

  test.each([[9], [1001], [-1], [10.5]])('refuses a weight of %d', (weight) => {
    expect(() => files({ blockIO: { weight } })).toThrow('the block I/O weight');
  });

  test('the four limits of a device are one line, another device is another', () => {
    const blockIO = {
      throttleReadBpsDevice: [{ major: 8, minor: 0, rate: 1_048_576 }],
      throttleWriteBpsDevice: [
        { major: 8, minor: 16, rate: 2_097_152 },
        { major: 8, minor: 0, rate: 0 },
      ],
      throttleReadIOPSDevice: [{ major: 8, minor: 0, rate: 100 }],
      throttleWriteIOPSDevice: [{ major: 8, minor: 0, rate: 200 }],
    };
    expect(files({ blockIO })).toEqual([
      'io.max=8:0 rbps=1048576 wbps=max riops=100 wiops=200',
      'io.max=8:16 wbps=2097152',
    ]);
  });

  test.each([
    [{ major: 4096, minor: 0, rate: 1 }, "the block device's major number is 4096"],
    [{ major: 8, minor: -1, rate: 1 }, "the block device's minor number is -1"],
    [{ major: 8, minor: 0, rate: -1 }, 'the rbps limit of device 8:0 is -1'],
  ])('refuses %j', (device, message) => {
    expect(() => files({ blockIO: { throttleReadBpsDevice: [device] } })).toThrow(message);
  });
});

describe('v2 files by name', () => {
  test('are written as they are, a line at a time, and last', () => {
    const unified = {
      'memory.high': '1048576',
      'io.max': '8:0 rbps=1\n8:16 rbps=2\n',
      'hugetlb.2MB.max': '0',
    };
    expect(files({ unified, memory: { limit: 5 } })).toEqual([
      'memory.max=5',
      'memory.high=1048576',
      'io.max=8:0 rbps=1',
      'io.max=8:16 rbps=2',
      'hugetlb.2MB.max=0',
    ]);
  });

  test.each([
    ['../memory.max'],
    ['memory.max/../../cgroup.procs'],
    ['/etc/passwd'],
    ['cgroup.procs'],
    ['cgroup.threads'],
    ['cgroup.subtree_control'],
    ['cgroup.type'],
    ['cgroup.kill'],
    ['cgroup.freeze'],
    ['..'],
    ['memory'],
    ['memory..max'],
    ['.memory'],
    ['memory.max\0'],
    ['memory.max\n'],
    [''],
  ])('refuses the name %j', (name) => {
    expect(() => files({ unified: { [name]: '1' } })).toThrow(expect.objectContaining({ code: 'BAD_LIMIT' }));
  });

  test('the two limits of the core are allowed, and need no controller', () => {
    const writes = limitWrites({ unified: { 'cgroup.max.depth': '2', 'cgroup.max.descendants': '5' } });
    expect(writes).toHaveLength(2);
    expect(controllersOf(writes)).toEqual([]);
  });

  test.each([['a\0b'], ['x'.repeat(4097)], [5 as unknown as string]])('refuses the value %j', (value) => {
    expect(() => files({ unified: { 'memory.high': value } })).toThrow(
      expect.objectContaining({ code: 'BAD_LIMIT' }),
    );
  });
});

test('each controller is named once', () => {
  const writes = limitWrites({
    memory: { limit: 10, swap: 20 },
    pids: { limit: 3 },
    cpu: { shares: 5, cpus: '0' },
    blockIO: { weight: 10 },
  });
  expect(controllersOf(writes)).toEqual(['memory', 'cpu', 'cpuset', 'pids', 'io']);
});
