import { describe, expect, test } from 'vitest';
import { CAPABILITIES } from '../../../src/kernel/index.ts';
import { layOut } from '../../../src/launch/index.ts';
import { planContainer } from '../../../src/runtime/index.ts';
import { Listing, mapped, sampleInput, sampleSpec } from './sample.ts';

const plain = () => new Listing(sampleInput());
const inUserNamespace = () => new Listing(sampleInput(() => {}, sampleSpec(mapped)));
const withTerminal = () =>
  new Listing(
    sampleInput(
      (input) => {
        input.stdio = { terminalSocket: 9 };
      },
      sampleSpec((spec) => {
        spec.process.user.uid = 1000;
      }),
    ),
  );
const readOnly = () =>
  new Listing(
    sampleInput(
      (input) => {
        input.init = '/usr/lib/tsbox/init';
      },
      sampleSpec((spec) => {
        spec.root.readonly = true;
        spec.process.noNewPrivileges = true;
        spec.process.oomScoreAdj = 300;
        spec.process.apparmorProfile = 'docker-default';
        spec.linux.namespaces.push({ type: 'time' });
        spec.linux.timeOffsets = { boottime: { secs: 60 } };
        spec.linux.devices = [
          { type: 'b', path: '/dev/disk/a', major: 259, minor: 70000, fileMode: 0o600, uid: 7, gid: 8 },
          { type: 'c', path: '/opt/fuse', major: 10, minor: 229 },
        ];
      }),
    ),
  );

describe.each([
  ['a plain container', plain],
  ['one with a user namespace', inUserNamespace],
  ['one with a terminal, not root', withTerminal],
  ['one with everything else', readOnly],
])('%s', (_, build) => {
  test('every step says where it belongs and why, and tolerates at most four errnos', () => {
    for (const step of build().steps) {
      expect(step.stage).toMatch(/^[A-Z]/);
      expect(step.why, step.call).toMatch(/\S.{3}/);
      expect(step.tolerate?.length ?? 1).toBeLessThanOrEqual(4);
    }
  });

  test('every slot is filled before it is used, in the list of the process that uses it or before its clone', () => {
    expect(() => layOut({ steps: build().steps.filter(({ child }) => !child) })).not.toThrow();
    const filled = new Set<string>();
    for (const { args, save } of build().steps) {
      for (const argument of args)
        if (argument && typeof argument === 'object' && 'name' in argument)
          expect([...filled]).toContain(argument.name);
      if (save) filled.add(save.name);
      for (const argument of args)
        if (argument && typeof argument === 'object' && 'pointers' in argument)
          for (const { to } of argument.pointers ?? [])
            if (to && typeof to === 'object' && 'slotAddress' in to) filled.add(to.slotAddress.name);
    }
  });

  test('everything of the host is opened before the pivot, and no path of the host after it', () => {
    const { lines, steps, at } = bound(build());
    const pivot = at('pivot_root');
    const hostPaths = ['/store', '/tmp,', '/sys/fs/cgroup/tsbox', '/usr/lib/tsbox'];
    for (const [index, line] of lines.entries())
      if (index > pivot) for (const path of hostPaths) expect(line).not.toContain(path);
    for (const [index, { call }] of steps.entries())
      if (call === 'fsopen' || call === 'fsmount') expect(index).toBeLessThan(pivot);
    expect(at('umount2(., MNT_DETACH')).toBe(pivot + 1);
    expect(at('chdir(/)')).toBe(pivot + 2);
  });

  test('what a mount shows is opened before the pivot and attached after it', () => {
    const { at } = bound(build());
    for (const [slot, place] of [
      ['bind_data', '/data'],
      ['hosts', '/etc/hosts'],
      ['sysfs_mount', '/sys'],
      ['devpts_mount', '/dev/pts'],
      ['proc_mount', '/proc'],
    ]) {
      expect(at(`${slot} = `)).toBeLessThan(at('pivot_root'));
      expect(at(`move_mount(${slot}, , AT_FDCWD, ${place},`)).toBeGreaterThan(at('pivot_root'));
    }
  });

  test('CVE-2025-31133, CVE-2019-19921: proc, sys and dev are where they should be, not where a link of the image leads', () => {
    const { lines } = build();
    for (const place of ['/proc', '/sys', '/dev', '/dev/pts', '/sys/fs/cgroup']) {
      const line = lines.find((each) => each.includes(`AT_FDCWD, ${place}, MOVE_MOUNT`));
      expect(line).toContain('MOVE_MOUNT_F_EMPTY_PATH)');
    }
  });

  test('CVE-2024-21626: proc, whose links lead out of the root, comes after all places were made', () => {
    const { lines, at, last } = bound(build());
    // The last one: before the pivot something is put over the host's.
    const proc = last('AT_FDCWD, /proc, MOVE_MOUNT');
    expect(proc).toBeGreaterThan(at('pivot_root'));
    for (const [index, line] of lines.entries())
      if (/^(mkdirat|mknodat)\(AT_FDCWD, \//.test(line) && index > proc)
        expect(line).toMatch(/AT_FDCWD, \/(proc|dev)[/,]/);
    expect(at('mkdirat(AT_FDCWD, /srv/app,')).toBeLessThan(proc);
  });

  test('CVE-2024-21626: no descriptor is left when the working directory is entered, through no magic link', () => {
    const { at, last } = bound(build());
    const enter = at('working_directory = openat2(AT_FDCWD, /srv/app');
    expect(at('working_directory = openat2', 'RESOLVE_NO_MAGICLINKS')).toBe(enter);
    expect(last('close_range')).toBeLessThan(enter);
    expect(at('close_range(3, 22')).toBeLessThan(enter);
    expect(at('close_range(24, ~0')).toBeLessThan(enter);
    expect(at('fchdir(working_directory)')).toBe(enter + 1);
  });

  test('masked and read-only paths come after all mounts they could lie under', () => {
    const { at, last } = bound(build());
    const attached = last('move_mount', 'MOVE_MOUNT_T_SYMLINKS');
    expect(at('move_mount(null, , AT_FDCWD, /etc/machine-id')).toBeGreaterThan(attached);
    expect(at('AT_FDCWD, /proc/sys, MOVE_MOUNT')).toBeGreaterThan(attached);
    // The host's own null device, not the container's: CVE-2025-31133.
    expect(last('null = open_tree(AT_FDCWD, /dev/null')).toBeLessThan(at('pivot_root'));
  });

  test('privileges are given up in the order that works', () => {
    const { at, last, all } = bound(build());
    const ids = last('setresuid');
    expect(last('PR_CAPBSET_DROP')).toBeLessThan(at('PR_SET_KEEPCAPS'));
    expect(at('PR_SET_KEEPCAPS')).toBeLessThan(ids);
    expect(last('setgroups')).toBeLessThan(last('setresgid'));
    expect(last('setresgid')).toBeLessThan(ids);
    expect(last('prctl(PR_SET_PDEATHSIG, SIGKILL')).toBeGreaterThan(ids);
    expect(at('seccomp(')).toBeGreaterThan(ids);
    expect(at('seccomp(')).toBeLessThan(last('capset'));
    expect(last('move_mount')).toBeLessThan(at('PR_SET_KEEPCAPS'));
    expect(all('execve').every((index) => index > last('capset'))).toBe(true);
  });

  test('CVE-2016-9962: nobody can trace it from before its privileges match another program’s until exec', () => {
    const { at, all } = bound(build());
    expect(at('PR_SET_DUMPABLE, 0')).toBeLessThan(all('PR_CAPBSET_DROP')[0] as number);
  });

  test('the bounding set loses exactly what the container may not have', () => {
    const dropped = build().lines.flatMap((line) => /PR_CAPBSET_DROP, (\w+)/.exec(line)?.[1] ?? []);
    expect(dropped).toHaveLength(38);
    expect([...dropped, 'CAP_CHOWN', 'CAP_NET_RAW', 'CAP_SETFCAP'].sort()).toEqual([...CAPABILITIES].sort());
  });

  test('it is born in its cgroup, whose limits are set before', () => {
    const { at } = bound(build());
    const clone = at('CLONE_INTO_CGROUP');
    expect(at('mkdirat(AT_FDCWD, /sys/fs/cgroup/tsbox/x')).toBe(0);
    expect(at('limit = openat(cgroup, pids.max')).toBeLessThan(clone);
    expect(at('write(limit, 64, 2)')).toBeLessThan(clone);
    expect(at('unshare(CLONE_NEWCGROUP)')).toBeGreaterThan(clone);
  });

  test('a death of tsbox before it could ask to be told of it is noticed', () => {
    const { lines } = build();
    const arrived = lines.indexOf('write(23, ., 1)');
    expect(lines[arrived - 1]).toBe('prctl(PR_SET_PDEATHSIG, SIGKILL)');
  });

  test('sysctls are written through the mount of proc that it made itself (CVE-2019-16884)', () => {
    const { lines } = build();
    const opened = lines.indexOf(
      'proc_file = openat(proc_mount, sys/net/ipv4/ip_unprivileged_port_start, O_WRONLY|O_CLOEXEC)',
    );
    expect(lines.slice(opened + 1, opened + 3)).toEqual(['write(proc_file, 0, 1)', 'close(proc_file)']);
  });
});

/** Its methods as functions. */
function bound(listing: Listing) {
  return {
    lines: listing.lines,
    steps: listing.steps,
    at: listing.at.bind(listing),
    all: listing.all.bind(listing),
    last: listing.last.bind(listing),
  };
}

test('the streams become 0, 1 and 2; those that are it already lose close-on-exec only', () => {
  expect(plain().stage('Become the program').slice(0, 5)).toEqual([
    'dup3(20, 0, 0)',
    'dup3(21, 1, 0)',
    'dup3(22, 2, 0)',
    'close_range(3, 22, 0)',
    'close_range(24, ~0, 0)',
  ]);
  const inherited = sampleInput((input) => {
    input.stdio = { stdin: 0, stdout: 1, stderr: 2 };
    input.ready = 3;
  });
  expect(new Listing(inherited).stage('Become the program').slice(0, 4)).toEqual([
    'fcntl(0, F_SETFD, 0)',
    'fcntl(1, F_SETFD, 0)',
    'fcntl(2, F_SETFD, 0)',
    'close_range(4, ~0, 0)',
  ]);
});

test('a read-only root becomes so after everything was made in it, and before the program', () => {
  const { at, last } = bound(readOnly());
  const root = at('mount_setattr(AT_FDCWD, /, 0, {attr_set=MOUNT_ATTR_RDONLY}');
  expect(last('mkdirat')).toBeLessThan(root);
  expect(last('mknodat')).toBeLessThan(root);
  expect(last('move_mount')).toBeLessThan(root);
  expect(plain().all('mount_setattr(AT_FDCWD, /, 0,')).toEqual([]);
});

test('an OOM score of its own: a helper waits for the exec, so that the score is not tsbox’s too', () => {
  const listing = readOnly();
  const plan = planContainer(
    sampleInput(
      () => {},
      sampleSpec((spec) => (spec.process.oomScoreAdj = -5)),
    ),
  );
  expect(plan.helper).toBeDefined();
  expect(plan.pidfd).toBeUndefined();
  expect(listing.lines[listing.at('pid = clone3')]).toContain('CLONE_VM|CLONE_VFORK|CLONE_PARENT');
  const { at } = bound(listing);
  expect(at('openat(AT_FDCWD, /proc/self/oom_score_adj, O_WRONLY|O_CLOEXEC)')).toBeLessThan(at('pivot_root'));
  expect(at('write(proc_file, 300, 3)')).toBeGreaterThan(at('pid = clone3'));
  expect(listing.at('exit_group(0)')).toBeGreaterThan(listing.at('pid = clone3'));
});

test('with little memory a helper waits for the exec: killed for memory, it would take tsbox along', () => {
  const tight = sampleInput((input) => {
    input.cgroup = { path: '/sys/fs/cgroup/tsbox/x', writes: [], tight: true };
  });
  const { lines, at } = bound(new Listing(tight));
  expect(lines[at('pid = clone3')]).toContain('CLONE_VFORK|CLONE_PARENT');
  expect(planContainer(tight).helper).toBeDefined();
  expect(planContainer(sampleInput()).helper).toBeUndefined();
});

test('clocks of its own are set before anything runs with them', () => {
  const { at } = bound(readOnly());
  expect(at('unshare(CLONE_NEWTIME)')).toBeLessThan(at('/proc/self/timens_offsets'));
  expect(at('write(proc_file, boottime 60 0\n, 14)')).toBe(at('/proc/self/timens_offsets') + 1);
  expect(at('/proc/self/timens_offsets')).toBeLessThan(at('pivot_root'));
});

test.each([
  ['by tsbox itself', () => {}],
  ['with a user namespace, by the helper, which is root on the host', mapped],
])(
  'a directory of a volume is opened without leaving it, and what was opened is mounted: %s',
  (_, change) => {
    const part = sampleSpec((spec) => {
      change(spec);
      const options = ['rbind', 'rprivate'];
      spec.mounts.push({
        destination: '/part',
        type: 'bind',
        source: '/volumes/data',
        subpath: 'a/b',
        options,
      });
    });
    const { lines, steps, at } = bound(new Listing(sampleInput(() => {}, part)));
    const first = at('volume = openat(AT_FDCWD, /volumes/data, O_PATH|O_DIRECTORY|O_CLOEXEC, 0)');
    expect(lines.slice(first + 1, first + 5)).toEqual([
      'subpath = openat2(volume, a/b, {flags=O_PATH|O_DIRECTORY|O_CLOEXEC, resolve=RESOLVE_BENEATH|RESOLVE_NO_MAGICLINKS}, 24)',
      'close(volume)',
      'bind_part = open_tree(subpath, , OPEN_TREE_CLONE|OPEN_TREE_CLOEXEC|AT_EMPTY_PATH|AT_RECURSIVE)',
      'close(subpath)',
    ]);
    // struct open_how: flags, mode, resolve. O_PATH|O_DIRECTORY|O_CLOEXEC, and 8|2.
    const struct = steps[first + 1]?.args[2] as { bytes: Uint8Array } | undefined;
    const how = Buffer.from(struct?.bytes ?? []);
    const directory = process.arch === 'arm64' ? 0o40000n : 0o200000n;
    expect([0, 8, 16].map((offset) => how.readBigUInt64LE(offset))).toEqual([
      0o10000000n | 0o2000000n | directory,
      0n,
      10n,
    ]);
    expect(first).toBeLessThan(at('pivot_root'));
  },
);

test('the reaper is PID 1 through a mount that nobody can write through (CVE-2019-5736)', () => {
  const { lines, at } = bound(readOnly());
  const bind = at('bind_dev_init = open_tree(AT_FDCWD, /usr/lib/tsbox/init');
  expect(lines.slice(bind + 1, bind + 3).join()).toContain('MOUNT_ATTR_RDONLY|MOUNT_ATTR_NOSUID');
  expect(lines.filter((line) => line.startsWith('execve'))).toEqual([
    'execve(/dev/init, [/dev/init -- sh -c true], [PATH=/bin:/usr/bin])',
  ]);
});

test('the AppArmor profile is set while there still is the power to', () => {
  const { at } = bound(readOnly());
  expect(at('openat(AT_FDCWD, /proc/thread-self/attr/apparmor/exec')).toBeLessThan(at('PR_SET_DUMPABLE'));
  expect(at('write(apparmor, exec docker-default, 19)')).toBe(at('attr/apparmor/exec') + 1);
});

test('devices: nodes in /dev before anybody sees it, with their owner, and elsewhere after', () => {
  const { at } = bound(readOnly());
  expect(at('mkdirat(tmpfs_mount, disk, 0755)')).toBeLessThan(at('mknodat(tmpfs_mount, disk/a, 060600,'));
  // makedev(3) of 259:70000 is 0x11110370.
  expect(at('mknodat(tmpfs_mount, disk/a, 060600, 286327664)')).toBeLessThan(
    at('AT_FDCWD, /dev, MOVE_MOUNT'),
  );
  expect(at('fchownat(tmpfs_mount, disk/a, 7, 8, 0)')).toBeGreaterThan(0);
  expect(at('mknodat(AT_FDCWD, /opt/fuse, 020666, 2789)')).toBeGreaterThan(at('pivot_root'));
  expect(plain().at('umask(0)')).toBeLessThan(plain().at('mknodat(tmpfs_mount, null, 020666, 259)'));
});

test('a terminal: made in the container, its other end sent out, and its own controlling one', () => {
  const listing = withTerminal();
  const { lines } = listing;
  const from = listing.at('pty_master = openat(AT_FDCWD, /dev/pts/ptmx, O_RDWR|O_NOCTTY|O_CLOEXEC)');
  expect(lines.slice(from + 1, from + 7)).toEqual([
    'ioctl(pty_master, TIOCSPTLCK, 0)',
    'pty = ioctl(pty_master, TIOCGPTPEER, O_RDWR|O_NOCTTY|O_CLOEXEC)',
    'fchown(pty, 1000, -1)',
    'sendmsg(9, {SCM_RIGHTS, [pty_master]}, 0)',
    'ioctl(pty, TIOCSCTTY, 0)',
    'console = open_tree(pty, , OPEN_TREE_CLONE|OPEN_TREE_CLOEXEC|AT_EMPTY_PATH)',
  ]);
  expect(
    listing.at('move_mount(console, , AT_FDCWD, /dev/console, MOVE_MOUNT_F_EMPTY_PATH)'),
  ).toBeGreaterThan(from);
  expect(listing.at('setsid()')).toBeLessThan(from);
  expect(lines).toContain('dup3(pty, 2, 0)');
});

test('a program that is not root has a filter installed with the one capability that takes, which it loses', () => {
  const listing = withTerminal();
  const [before, after] = listing.all('capset') as [number, number];
  expect(listing.lines[before]).toContain('with CAP_SYS_ADMIN');
  expect(before).toBe(listing.at('seccomp(') - 1);
  expect(after).toBe(listing.at('seccomp(') + 1);
});
