import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { leavesNothing } from '../support/leftovers.ts';
import { describeRoot, field, hostFile, image, inside, refused, run, scratch } from '../support/tsbox.ts';

/** Inheritable, permitted, effective, bounding, ambient. */
function capabilities(flags: string[]): string[] {
  const status = inside(flags, 'grep ^Cap /proc/self/status');
  return ['Inh', 'Prm', 'Eff', 'Bnd', 'Amb'].map((set) => field(status, `Cap${set}`) ?? '');
}

const NONE = '0000000000000000';
/** Docker's 14: chown, dac_override, fowner, fsetid, kill, setgid, setuid, setpcap, net_bind_service, net_raw, sys_chroot, mknod, audit_write, setfcap. */
const DEFAULT = '00000000a80425fb';

describeRoot('capabilities', () => {
  leavesNothing();

  test.each([
    [[], DEFAULT],
    [['--cap-add', 'NET_ADMIN'], '00000000a80435fb'],
    [['--cap-add', 'CAP_SYS_TIME', '--cap-add', 'net_admin'], '00000000aa0435fb'],
    [['--cap-drop', 'chown', '--cap-drop', 'MKNOD'], '00000000a00425fa'],
    [['--cap-drop', 'ALL'], NONE],
    [['--cap-drop', 'ALL', '--cap-add', 'NET_BIND_SERVICE'], '0000000000000400'],
    [['--cap-add', 'ALL', '--cap-drop', 'SYS_ADMIN'], (ours() & ~(1n << 21n)).toString(16).padStart(16, '0')],
    [['--privileged'], ours().toString(16).padStart(16, '0')],
  ])('%j: root has %s, and nothing to inherit (CVE-2022-24769)', (flags, set) => {
    expect(capabilities(flags)).toEqual([NONE, set, set, set, NONE]);
  });

  test('another user has none, but what is within bounds can be gained', () => {
    expect(capabilities(['-u', 'nobody'])).toEqual([NONE, NONE, NONE, DEFAULT, NONE]);
    expect(capabilities(['-u', 'nobody', '--cap-drop', 'ALL'])).toEqual([NONE, NONE, NONE, NONE, NONE]);
  });

  test('they count: without CHOWN no chown, with NET_ADMIN an interface', () => {
    expect(run(['--cap-drop', 'CHOWN'], ['chown', '1', '/tmp'])).toMatchObject({
      status: 1,
      stderr: 'chown: /tmp: Operation not permitted\n',
    });
    expect(run([], ['ip', 'link', 'set', 'lo', 'down']).stderr).toContain('Operation not permitted');
    expect(
      inside(['--cap-add', 'NET_ADMIN'], 'ip link set lo down; ip -o link show lo | grep -c ",UP" || true'),
    ).toBe('0\n');
  });

  test('one that does not exist is refused', () => {
    expect(refused(['--cap-add', 'NET_ADMNI'])).toMatch(
      /^tsbox: --cap-add.*NET_ADMNI.*did you mean (CAP_)?NET_ADMIN\?/,
    );
    expect(refused(['--cap-drop', 'NOTHING'])).toMatch(/^tsbox: --cap-drop/);
  });
});

/** What this process has: nobody can give more. */
function ours(): bigint {
  return BigInt(`0x${field(hostFile('/proc/self/status'), 'CapBnd')}`);
}

describeRoot('setuid programs', () => {
  leavesNothing();
  // busybox's ping is among its applets that keep the user that the setuid bit gives them.
  const script = `cp /bin/busybox /tmp/ping; chmod 4755 /tmp/ping
    su -s /bin/sh nobody -c '/tmp/ping 127.0.0.1 > /dev/null & sleep 0.3; grep ^Uid: /proc/$!/status; kill $!'`;

  test('work', () => {
    expect(inside([], script)).toMatch(/^Uid:\t65534\t0\t0\t0\n/);
  });

  test
    .skipIf(image !== 'alpine')
    .each([['no-new-privileges'], ['no-new-privileges:true'], ['no-new-privileges=true']])(
    'not with --security-opt %s (skipped without Alpine, whose ping runs for every user)',
    (option) => {
      const flags = ['--security-opt', option];
      expect(inside(flags, `grep ^NoNewPrivs: /proc/self/status; ${script}`)).toMatch(
        /^NoNewPrivs:\t1\nUid:\t65534\t65534\t65534\t65534\n/,
      );
    },
  );
});

describeRoot('seccomp', () => {
  leavesNothing();
  const directory = scratch();
  const profile = join(directory, 'profile.json');
  const mode = 'grep -E "^Seccomp(_filters)?:" /proc/self/status';

  beforeAll(() => {
    const rules = [{ names: ['mkdir', 'mkdirat'], action: 'SCMP_ACT_ERRNO', errnoRet: 98 }];
    writeFileSync(profile, JSON.stringify({ defaultAction: 'SCMP_ACT_ALLOW', syscalls: rules }));
  });

  test('one filter by default, also for other users and in a user namespace', () => {
    for (const flags of [
      [],
      ['-u', 'nobody'],
      ['--userns', 'auto'],
      ['--security-opt', 'no-new-privileges'],
    ]) {
      expect(inside(flags, mode)).toBe('Seccomp:\t2\nSeccomp_filters:\t1\n');
    }
  });

  test("Docker's profile: no new user namespace, no mount", () => {
    expect(run([], ['unshare', '-r', 'true'])).toMatchObject({
      status: 1,
      stderr: expect.stringContaining('Operation not permitted'),
    });
    expect(run([], ['unshare', '-m', 'true'])).toMatchObject({
      status: 1,
      stderr: expect.stringContaining('Operation not permitted'),
    });
    expect(run([], ['mount', '-t', 'tmpfs', 't', '/mnt'])).toMatchObject({
      stdout: '',
      stderr: expect.stringContaining('permission denied'),
    });
  });

  test('what a capability allows, the profile allows too', () => {
    expect(inside(['--cap-add', 'SYS_ADMIN'], 'unshare -m true; mount -t tmpfs t /mnt; echo mounted')).toBe(
      'mounted\n',
    );
  });

  test('unconfined: none', () => {
    expect(inside(['--security-opt', 'seccomp=unconfined'], `${mode}; unshare -r id -u`)).toBe(
      'Seccomp:\t0\nSeccomp_filters:\t0\n0\n',
    );
    expect(inside(['--privileged'], mode)).toBe('Seccomp:\t0\nSeccomp_filters:\t0\n');
  });

  test('a profile of your own', () => {
    const flags = ['--security-opt', `seccomp=${profile}`];
    expect(run(flags, ['sh', '-c', `${mode}; mkdir /x`])).toEqual({
      status: 1,
      stdout: 'Seccomp:\t2\nSeccomp_filters:\t1\n',
      stderr: expect.stringMatching(/mkdir.*Address (already )?in use/),
    });
    expect(run(['--privileged', ...flags], ['mkdir', '/x']).status).toBe(1);
  });

  test('bad ones are refused', () => {
    const bad = (text: string) => {
      const file = join(directory, 'bad.json');
      writeFileSync(file, text);
      return refused(['--security-opt', `seccomp=${file}`]);
    };
    expect(bad('{ "defaultAction": ')).toMatch(/bad\.json/);
    expect(bad('[]')).toMatch(/bad\.json/);
    expect(bad('{"defaultAction":"SCMP_ACT_DENY"}')).toMatch(/SCMP_ACT_DENY/);
    expect(refused(['--security-opt', 'seccomp=/not/there.json'])).toMatch(/\/not\/there\.json/);
    expect(refused(['--security-opt', 'secomp=unconfined'])).toMatch(/did you mean seccomp/);
  });
});
