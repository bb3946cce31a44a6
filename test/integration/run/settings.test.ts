import { expect, test } from 'vitest';
import { leavesNothing } from '../support/leftovers.ts';
import { describeRoot, field, hostFile, image, inside, Running, refused } from '../support/tsbox.ts';

/** Bit 24, without which nobody can raise a hard limit or lower an oom_score_adj. */
const hasSysResource = (BigInt(`0x${field(hostFile('/proc/self/status'), 'CapEff')}`) & (1n << 24n)) !== 0n;

describeRoot('settings', () => {
  leavesNothing();

  test('--ulimit', () => {
    const flags = ['--ulimit', 'nofile=100:200', '--ulimit', 'core=0'];
    expect(inside(flags, 'ulimit -Sn; ulimit -Hn; ulimit -c')).toBe('100\n200\n0\n');
  });

  test('the soft limit of open files is the customary one, not the one that Node sets', () => {
    expect(inside([], 'ulimit -Sn')).toBe('1024\n');
  });

  test('--ulimit above what the host can give says which', () => {
    expect(refused(['--ulimit', 'nofile=1073741816:1073741817'])).toMatch(/RLIMIT_NOFILE/);
    expect(refused(['--ulimit', 'nofiles=1'])).toMatch(/--ulimit.*did you mean nofile\?/);
    expect(refused(['--ulimit', 'nofile=9:1'])).toMatch(/--ulimit/);
  });

  test('--sysctl', () => {
    const flags = [
      '--sysctl',
      'net.core.somaxconn=99',
      '--sysctl',
      'kernel.msgmax=9000',
      '--sysctl',
      'net.ipv4.ip_local_port_range=1000 2000',
    ];
    expect(
      inside(flags, 'cd /proc/sys; cat net/core/somaxconn kernel/msgmax net/ipv4/ip_local_port_range'),
    ).toBe('99\n9000\n1000\t2000\n');
    expect(hostFile('/proc/sys/net/core/somaxconn')).not.toBe('99\n');
    expect(
      inside(['--userns', 'auto', '--sysctl', 'net.core.somaxconn=98'], 'cat /proc/sys/net/core/somaxconn'),
    ).toBe('98\n');
  });

  test.skipIf(image !== 'alpine')(
    'every user may ping and serve low ports (skipped without Alpine, whose ping uses that)',
    () => {
      const script =
        'cat /proc/sys/net/ipv4/ping_group_range /proc/sys/net/ipv4/ip_unprivileged_port_start; ping -c 1 -W 2 127.0.0.1 > /dev/null && echo answered';
      expect(inside(['-u', 'nobody', '--cap-drop', 'ALL'], script)).toBe('0\t2147483647\n0\nanswered\n');
    },
  );

  test("--sysctl: what is the whole machine's is refused", () => {
    expect(refused(['--sysctl', 'kernel.panic=1'])).toMatch(
      /^tsbox: --sysctl kernel\.panic=1: not a parameter that a container has for its own/,
    );
    expect(refused(['--sysctl', 'net.core.somaxconn=1', '--network', 'host'])).toMatch(/--network host/);
    expect(refused(['--sysctl', 'kernel.msgmax=9000', '--ipc', 'host'])).toMatch(/--ipc host/);
    expect(refused(['--sysctl', 'net.no.such=1'])).toMatch(/net\.no\.such|net\/no\/such/);
    expect(refused(['--sysctl', 'net.core.somaxconn=many'])).toMatch(/net\.core\.somaxconn/);
    expect(refused(['--sysctl', 'net/../kernel/panic=1'])).toMatch(/not a parameter/);
  });

  test("--oom-score-adj is the program's, not that of tsbox", async () => {
    const box = new Running(
      ['--oom-score-adj', '500'],
      ['sh', '-c', 'cat /proc/self/oom_score_adj; exec sleep 60'],
    );
    await box.says('500\n');
    expect(hostFile(`/proc/${box.process.pid}/oom_score_adj`)).toBe(hostFile('/proc/self/oom_score_adj'));
    box.process.kill('SIGTERM');
    box.process.kill('SIGTERM');
    box.process.kill('SIGKILL');
    await box.ended;
  });

  test.skipIf(hasSysResource)(
    '--oom-score-adj below ours is refused (skipped where this machine could)',
    () => {
      expect(refused(['--oom-score-adj', '-900'])).toMatch(/oom_score_adj/);
    },
  );

  test('bad ones are refused', () => {
    expect(refused(['--oom-score-adj', '1001'])).toMatch(/^tsbox: --oom-score-adj/);
    expect(refused(['--oom-score-adj', 'low'])).toMatch(/^tsbox: --oom-score-adj.*not a whole number/);
  });
});
