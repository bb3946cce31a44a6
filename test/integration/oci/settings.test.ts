import { chmodSync, chownSync, mkdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { describeRoot } from '../support/tsbox.ts';
import { type AnyConfig, Containers, read } from './support.ts';

/** What of a configuration a program inside can see. */
describeRoot('a configuration is carried out', () => {
  const box = new Containers();
  const runs = (script: string, change: (config: AnyConfig, bundle: string) => void, ...more: string[]) => {
    const bundle = box.bundle(script, (config) => change(config, ''));
    return box.with({ cwd: bundle }, 'run', ...more, 'settings');
  };

  test('user, groups, umask, no_new_privs, capabilities, limits, OOM score', () => {
    const script = [
      'id -u; id -g; umask; ulimit -n; cat /proc/self/oom_score_adj',
      'grep -E "^(Groups|NoNewPrivs|CapEff|CapBnd|CapAmb):" /proc/self/status | tr -s "\\t " "  "',
    ].join('; ');
    const { stdout, stderr } = runs(script, ({ process }) => {
      process.user = { uid: 7, gid: 8, additionalGids: [9, 10], umask: 0o27 };
      const kept = ['CAP_NET_RAW'];
      process.capabilities = {
        bounding: kept,
        effective: kept,
        permitted: kept,
        inheritable: kept,
        ambient: kept,
      };
      process.rlimits = [{ type: 'RLIMIT_NOFILE', soft: 77, hard: 88 }];
      process.oomScoreAdj = 500;
    });
    expect({ stdout, stderr }).toEqual({
      stdout:
        '7\n8\n0027\n77\n500\nGroups: 9 10 \nCapEff: 0000000000002000\nCapBnd: 0000000000002000\nCapAmb: 0000000000002000\nNoNewPrivs: 1\n',
      stderr: '',
    });
  });

  test('a user namespace: its ids, and the host’s behind them', () => {
    const bundle = box.bundle(
      'id -u; cat /proc/self/uid_map | tr -s " "; touch /made && stat -c %u /made',
      (config) => {
        config.linux.namespaces.push({ type: 'user' });
        const map = [{ containerID: 0, hostID: 100_000, size: 65_536 }];
        Object.assign(config.linux, { uidMappings: map, gidMappings: map });
      },
    );
    chownSync(join(bundle, 'rootfs'), 100_000, 100_000);
    expect(box.with({ cwd: bundle }, 'run', 'mapped')).toEqual({
      status: 0,
      stdout: '0\n 0 100000 65536\n0\n',
      stderr: '',
    });
    expect(statSync(join(bundle, 'rootfs/made')).uid).toBe(100_000);
  });

  test('a mount whose owners are mapped', () => {
    const data = join(box.directory, 'data');
    mkdirSync(data);
    chmodSync(box.directory, 0o755);
    writeFileSync(join(data, 'file'), '');
    const { stdout, stderr } = runs('stat -c "%u %g" /data/file', (config) => {
      const map = [{ containerID: 0, hostID: 4321, size: 1 }];
      config.mounts.push({
        destination: '/data',
        type: 'bind',
        source: data,
        options: ['bind'],
        uidMappings: map,
        gidMappings: map,
      });
    });
    expect({ stdout, stderr }).toEqual({ stdout: '4321 4321\n', stderr: '' });
  });

  test('names, sysctls, time, personality, scheduling', () => {
    const script = [
      'hostname; cat /proc/sys/kernel/domainname /proc/sys/net/ipv4/ip_forward',
      'uname -m; cut -d. -f1 /proc/uptime',
      'cut -d")" -f2 /proc/self/stat | cut -d" " -f18; ionice -p $$; grep -E "^policy" /proc/self/sched | tr -s " "',
    ].join('; ');
    const { stdout, stderr } = runs(script, (config) => {
      Object.assign(config, { hostname: 'name', domainname: 'domain' });
      config.linux.sysctl = { 'net.ipv4.ip_forward': '1' };
      config.linux.namespaces.push({ type: 'time' });
      config.linux.timeOffsets = { boottime: { secs: 1_000_000_000 } };
      config.linux.personality = { domain: 'LINUX32' };
      config.process.scheduler = { policy: 'SCHED_BATCH', nice: 5 };
      config.process.ioPriority = { class: 'IOPRIO_CLASS_IDLE', priority: 0 };
    });
    const [hostname, domain, forward, machine, uptime, nice, disk, policy] = stdout.split('\n');
    expect({ hostname, domain, forward, stderr }).toEqual({
      hostname: 'name',
      domain: 'domain',
      forward: '1',
      stderr: '',
    });
    expect(['i686', 'armv8l']).toContain(machine);
    expect(Number(uptime)).toBeGreaterThan(1_000_000_000);
    expect({ nice, disk }).toEqual({ nice: '5', disk: 'idle' });
    // SCHED_BATCH; a kernel without CONFIG_SCHED_DEBUG has no such file.
    if (policy) expect(policy).toBe('policy : 3');
  });

  test('execCPUAffinity is that of what is executed, and not of the container', () => {
    const bundle = box.bundle('grep Cpus_allowed_list /proc/self/status > /own; sleep 100', (config) => {
      config.process.execCPUAffinity = { initial: '0', final: '0' };
    });
    box.create('bound', bundle);
    box.run('start', 'bound');
    const allowed = (text: string) => /^Cpus_allowed_list:\s*(\S+)/m.exec(text)?.[1];
    expect(allowed(box.run('exec', 'bound', 'cat', '/proc/self/status').stdout)).toBe('0');
    expect(allowed(read(join(bundle, 'rootfs/own')))).toBe(allowed(read('/proc/self/status')));
    expect(box.run('delete', '--force', 'bound').status).toBe(0);
  });

  test('masked and read-only paths, a read-only root, propagation, recursive attributes', () => {
    const script = [
      'wc -c < /proc/uptime; touch /proc/sys/kernel/hostname 2>/dev/null || echo ro; touch /x 2>/dev/null || echo root ro',
      'grep -cE "^([^ ]+ ){4}/ .* shared:" /proc/self/mountinfo',
      'touch /data/below/x 2>/dev/null || echo below ro',
    ].join('; ');
    const data = join(box.directory, 'tree');
    mkdirSync(join(data, 'below'), { recursive: true });
    const { stdout } = runs(script, (config) => {
      config.root.readonly = true;
      config.linux.maskedPaths.push('/proc/uptime');
      config.linux.rootfsPropagation = 'shared';
      config.mounts.push({ destination: '/data', type: 'bind', source: data, options: ['rbind', 'rro'] });
    });
    expect(stdout.split('\n')).toEqual(['0', 'ro', 'root ro', '1', 'below ro', '']);
  });

  test('without pivot_root, without a new keyring', () => {
    const { status, stdout } = runs('ls / | grep -c proc; pwd', () => {}, '--no-pivot', '--no-new-keyring');
    expect({ status, stdout }).toEqual({ status: 0, stdout: '1\n/\n' });
  });

  test('a device, and no other', () => {
    const { stdout } = runs(
      'ls -l /dev/mine | cut -c1-10; cat /dev/mine | head -c 1 | wc -c; mknod /dev/x b 8 0; cat /dev/x 2>&1',
      (config) => {
        config.process.capabilities.bounding.push('CAP_MKNOD');
        config.process.capabilities.effective.push('CAP_MKNOD');
        config.process.capabilities.permitted.push('CAP_MKNOD');
        config.linux.devices = [{ type: 'c', path: '/dev/mine', major: 1, minor: 5, fileMode: 0o640 }];
      },
    );
    expect(stdout).toBe("crw-r-----\n1\ncat: can't open '/dev/x': Operation not permitted\n");
  });

  test('a filter that lets a program do no more than it must', () => {
    const { stdout, stderr } = runs('echo still; mkdir /x', (config) => {
      config.linux.seccomp = {
        defaultAction: 'SCMP_ACT_ALLOW',
        syscalls: [
          {
            names: ['mkdir', 'mkdirat', 'faccessat', 'dup3', 'close_range'],
            action: 'SCMP_ACT_ERRNO',
            errnoRet: 1,
          },
        ],
      };
    });
    expect(stdout).toBe('still\n');
    expect(stderr).toContain('Operation not permitted');
  });
});
