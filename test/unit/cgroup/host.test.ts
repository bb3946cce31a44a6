import { describe, expect, test } from 'vitest';
import { type CgroupHost, findCgroup } from '../../../src/cgroup/host.ts';
import { limitWrites } from '../../../src/cgroup/limits.ts';
import { cgroupPath } from '../../../src/cgroup/path.ts';
import { requireControllers } from '../../../src/cgroup/require.ts';

const PURE = `22 28 0:20 / /sys rw,nosuid,nodev,noexec,relatime shared:7 - sysfs sysfs rw
28 1 254:1 / / rw,relatime shared:1 - ext4 /dev/vda1 rw,discard
30 22 0:26 / /sys/fs/cgroup rw,nosuid,nodev,noexec,relatime shared:9 - cgroup2 cgroup2 rw,nsdelegate,memory_recursiveprot
`;
const HYBRID = `31 23 0:28 / /sys/fs/cgroup ro,nosuid,nodev,noexec shared:9 - tmpfs tmpfs ro,mode=755
32 31 0:29 / /sys/fs/cgroup/unified rw,nosuid,nodev,noexec,relatime shared:10 - cgroup2 cgroup2 rw,nsdelegate
33 31 0:30 / /sys/fs/cgroup/systemd rw,nosuid,nodev,noexec,relatime shared:11 - cgroup cgroup rw,xattr,name=systemd
37 31 0:34 / /sys/fs/cgroup/cpu,cpuacct rw,nosuid,nodev,noexec,relatime shared:16 - cgroup cgroup rw,cpu,cpuacct
38 31 0:35 / /sys/fs/cgroup/memory rw,nosuid,nodev,noexec,relatime shared:17 - cgroup cgroup rw,memory
39 31 0:36 / /sys/fs/cgroup/blkio rw,nosuid,nodev,noexec,relatime shared:18 - cgroup cgroup rw,blkio
`;
const V1_ONLY = '38 31 0:35 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory\n';
/** Inside a container that shares the host's cgroup namespace: read-only, and only its own group is mounted. */
const SUBTREE =
  '610 609 0:26 /system.slice/docker-dc4e.scope /sys/fs/cgroup ro,nosuid,nodev,noexec,relatime - cgroup2 cgroup rw,nsdelegate\n';

const host = (mountinfo: string, controllers: string[] = []) => findCgroup(mountinfo, () => controllers);

describe('where cgroup v2 is', () => {
  test('on a pure host', () => {
    const asked: string[] = [];
    const found = findCgroup(PURE, (directory) => {
      asked.push(directory);
      return ['cpu', 'memory'];
    });
    expect(asked).toEqual(['/sys/fs/cgroup']);
    expect(found).toEqual({
      mountPoint: '/sys/fs/cgroup',
      root: '/',
      mode: 'pure',
      controllers: ['cpu', 'memory'],
      v1: {},
      readOnly: false,
    });
  });

  test('on a hybrid host, with who owns what', () => {
    expect(host(HYBRID)).toEqual({
      mountPoint: '/sys/fs/cgroup/unified',
      root: '/',
      mode: 'hybrid',
      controllers: [],
      v1: {
        cpu: '/sys/fs/cgroup/cpu,cpuacct',
        cpuacct: '/sys/fs/cgroup/cpu,cpuacct',
        memory: '/sys/fs/cgroup/memory',
        blkio: '/sys/fs/cgroup/blkio',
      },
      readOnly: false,
    });
  });

  test('in a container, where only a subtree is mounted', () => {
    expect(host(SUBTREE)).toMatchObject({
      mountPoint: '/sys/fs/cgroup',
      root: '/system.slice/docker-dc4e.scope',
      mode: 'pure',
      readOnly: true,
    });
  });

  test('a writable mount before a read-only one, wherever it is', () => {
    const other = '700 28 0:26 / /mnt/my\\040cgroups rw - cgroup2 none rw\n';
    expect(host(SUBTREE + other).mountPoint).toBe('/mnt/my cgroups');
    expect(host(PURE + other).mountPoint).toBe('/sys/fs/cgroup');
  });

  test('a mount that hides another on the same directory', () => {
    const over = '800 30 0:26 /inner /sys/fs/cgroup rw - cgroup2 none rw\n';
    expect(host(PURE + over).root).toBe('/inner');
  });

  test.each([
    ['no cgroup at all', ''],
    ['v1 only', V1_ONLY],
    ['a cut line', '30 22 0:26 / - cgroup2\n'],
  ])('%s', (_, text) => {
    expect(() => host(text)).toThrow(
      expect.objectContaining({
        code: 'NO_CGROUP2',
        advice: expect.stringContaining('systemd.unified_cgroup_hierarchy=1'),
      }),
    );
  });
});

describe('a limit that the host cannot keep', () => {
  const memory = limitWrites({ memory: { limit: 67_108_864 } });

  test('is kept where the controller is there', () => {
    expect(requireControllers(host(PURE, ['memory']), memory)).toEqual(memory);
  });

  test('because cgroup v1 has the controller', () => {
    expect(() => requireControllers(host(HYBRID, ['hugetlb']), memory)).toThrow(
      expect.objectContaining({
        code: 'LIMIT_UNAVAILABLE',
        exitCode: 125,
        message:
          'the memory limit cannot be kept: the `memory` controller belongs to cgroup v1 on this host (/sys/fs/cgroup/memory)',
        advice: expect.stringMatching(/systemd\.unified_cgroup_hierarchy=1.*cgroup_no_v1=all/),
      }),
    );
    expect(() => requireControllers(host(HYBRID), limitWrites({ blockIO: { weight: 100 } }))).toThrow(
      'the `io` controller belongs to cgroup v1 on this host (/sys/fs/cgroup/blkio)',
    );
  });

  test('because nobody has it', () => {
    expect(() => requireControllers(host(PURE, ['cpu', 'pids']), memory)).toThrow(
      expect.objectContaining({
        message: expect.stringContaining('no `memory` controller here (/sys/fs/cgroup has: cpu, pids)'),
        advice: expect.stringContaining('cgroup_enable=memory'),
      }),
    );
  });

  test('"unlimited" needs no controller', () => {
    const unlimited = limitWrites({
      memory: { limit: -1, swap: -1 },
      pids: { limit: 0 },
      cpu: { quota: -1 },
    });
    expect(unlimited).toHaveLength(4);
    expect(requireControllers(host(HYBRID), unlimited)).toEqual([]);
  });
});

describe('the directory of a group', () => {
  const at = { mountPoint: '/sys/fs/cgroup' } as CgroupHost;

  test.each([
    [undefined, '/sys/fs/cgroup/tsbox/abc'],
    ['/my.slice/web', '/sys/fs/cgroup/my.slice/web/abc'],
    ['my.slice//web/', '/sys/fs/cgroup/my.slice/web/abc'],
    ['/', '/sys/fs/cgroup/abc'],
    ['a..b', '/sys/fs/cgroup/a..b/abc'],
  ])('with the parent %j', (parent, path) => expect(cgroupPath(at, 'abc', parent)).toBe(path));

  test.each([['..'], ['../..'], ['/a/../../etc'], ['a/./b'], ['a\nb'], ['a\0b'], [`/${'x'.repeat(256)}`]])(
    'refuses the parent %j',
    (parent) => {
      expect(() => cgroupPath(at, 'abc', parent)).toThrow(
        expect.objectContaining({ code: 'BAD_CGROUP_PARENT' }),
      );
    },
  );

  test.each([[''], ['..'], ['a/b'], ['.hidden'], ['a\n'], ['x'.repeat(256)]])('refuses the id %j', (id) => {
    expect(() => cgroupPath(at, id)).toThrow(expect.objectContaining({ code: 'BAD_ID' }));
  });
});
