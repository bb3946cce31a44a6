import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import {
  closeSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { embeddedImage } from '../../../src/kernel/index.ts';
import { sampleConfig } from '../../../src/oci/sample-config.ts';

const runtime =
  process.env.TSBOX_TEST_OCI ?? join(import.meta.dirname, '..', '..', '..', 'dist', 'tsbox-oci.cjs');
const SYSTEMD = '/lib/systemd/systemd';
const SOCKET = '/run/dbus/system_bus_socket';
const UNITS = '/run/systemd/system';
const ready =
  process.env.TSBOX_IN_VM !== undefined && existsSync(SYSTEMD) && existsSync('/usr/bin/dbus-daemon');

/** A real systemd, as the first process of a PID namespace of the guest, with a real D-Bus. Everything here is done in there: PIDs mean the same then. */
describe.skipIf(!ready)(
  `--systemd-cgroup${ready ? '' : ' (skipped: needs the guest, systemd and dbus)'}`,
  () => {
    const directory = mkdtempSync(join(tmpdir(), 'tsbox-systemd-'));
    const bundle = join(directory, 'bundle');
    let systemd: ChildProcess;
    let pid = '';

    /** Output goes to a file: the container has it too, and nobody waits for its end. */
    const inside = (...command: string[]) => {
      const file = join(directory, 'output');
      const out = openSync(file, 'w');
      const { status } = spawnSync('nsenter', ['-t', pid, '-p', '-m', '-C', '--', ...command], {
        stdio: ['ignore', out, out],
        timeout: 100_000,
      });
      closeSync(out);
      return { status, output: readFileSync(file, 'utf8') };
    };
    const oci = (...args: string[]) =>
      inside(process.execPath, runtime, '--root', join(directory, 'state'), ...args);
    const create = () => oci('--systemd-cgroup', 'create', '--bundle', bundle, 'one');
    const shown = (...properties: string[]) =>
      inside('systemctl', 'show', 'tsbox-one.scope', ...properties.map((name) => `-p${name}`))
        .output.trim()
        .split('\n');
    const group = (file: string) =>
      readFileSync(join('/sys/fs/cgroup/system.slice/tsbox-one.scope', file), 'utf8').trim();

    beforeAll(async () => {
      mkdirSync(join(bundle, 'rootfs'), { recursive: true });
      expect(spawnSync('tar', ['-C', join(bundle, 'rootfs'), '-xf', embeddedImage()]).status).toBe(0);
      mkdirSync(UNITS, { recursive: true });
      // It would empty /tmp.
      symlinkSync('/dev/null', join(UNITS, 'systemd-tmpfiles-setup.service'));
      const lines = [
        '[Unit]',
        'DefaultDependencies=no',
        'Requires=dbus.service dbus.socket',
        'After=dbus.service',
      ];
      writeFileSync(join(UNITS, 'tsbox-test.target'), lines.join('\n'));
      const namespaces = [
        '--pid',
        '--mount',
        '--cgroup',
        '--fork',
        '--mount-proc',
        '--propagation',
        'private',
      ];
      systemd = spawn('unshare', [...namespaces, SYSTEMD, '--system', '--unit=tsbox-test.target'], {
        env: { ...process.env, container: 'tsbox-test' },
        stdio: 'ignore',
      });
      const isUp = () => {
        pid = spawnSync('pgrep', ['-P', String(systemd.pid)], { encoding: 'utf8' }).stdout.trim();
        if (pid === '' || !existsSync(SOCKET)) return false;
        return inside('systemctl', 'is-active', 'tsbox-test.target').status === 0;
      };
      for (let tries = 0; !isUp(); tries++) {
        expect(tries, 'systemd has not come up').toBeLessThan(200);
        await new Promise((resolve) => setTimeout(resolve, 500));
      }
    }, 120_000);
    afterAll(() => {
      if (pid !== '') oci('delete', '--force', 'one');
      if (pid !== '') process.kill(Number(pid), 'SIGKILL');
      rmSync(directory, { recursive: true, force: true });
    });

    // biome-ignore lint/suspicious/noExplicitAny: anything may be put into it
    const configure = (change: (config: any) => void = () => {}) => {
      // biome-ignore lint/suspicious/noExplicitAny: anything may be put into it
      const config: any = sampleConfig();
      Object.assign(config.process, { terminal: false, args: ['sleep', '1000'] });
      const cpu = { quota: 50_000, period: 100_000, shares: 512, cpus: '0' };
      const resources = { memory: { limit: 64 << 20, swap: 64 << 20 }, pids: { limit: 50 }, cpu };
      Object.assign(config.linux, { resources, cgroupsPath: 'system.slice:tsbox:one' });
      change(config);
      writeFileSync(join(bundle, 'config.json'), JSON.stringify(config));
    };

    test('the group is a scope, whose limits systemd knows and keeps', () => {
      configure();
      expect(create()).toEqual({ status: 0, output: '' });
      expect(
        shown(
          'ActiveState',
          'Delegate',
          'MemoryMax',
          'MemorySwapMax',
          'TasksMax',
          'CPUQuotaPerSecUSec',
        ).sort(),
      ).toEqual([
        'ActiveState=active',
        'CPUQuotaPerSecUSec=500ms',
        'Delegate=yes',
        'MemoryMax=67108864',
        'MemorySwapMax=0',
        'TasksMax=50',
      ]);
      expect(shown('AllowedCPUs', 'CPUWeight', 'Description', 'Slice').sort()).toEqual([
        'AllowedCPUs=0',
        'CPUWeight=59',
        'Description=container one',
        'Slice=system.slice',
      ]);
      expect(oci('start', 'one')).toEqual({ status: 0, output: '' });
      const { pid: init } = JSON.parse(oci('state', 'one').output);
      // The one that held the place is gone.
      expect(inside('cat', '/sys/fs/cgroup/system.slice/tsbox-one.scope/cgroup.procs').output).toBe(
        `${init}\n`,
      );
      expect(['memory.max', 'memory.swap.max', 'pids.max', 'cpu.max'].map(group)).toEqual([
        String(64 << 20),
        '0',
        '50',
        '50000 100000',
      ]);
      expect(oci('update', '--memory', '100m', '--memory-swap', '100m', 'one')).toEqual({
        status: 0,
        output: '',
      });
      expect(inside('systemctl', 'daemon-reload').status).toBe(0);
      expect(shown('MemoryMax')).toEqual([`MemoryMax=${100 << 20}`]);
      expect(group('memory.max')).toBe(String(100 << 20));
      expect(oci('delete', '--force', 'one')).toEqual({ status: 0, output: '' });
      expect(shown('ActiveState', 'LoadState').sort()).toEqual([
        'ActiveState=inactive',
        'LoadState=not-found',
      ]);
      expect(existsSync('/sys/fs/cgroup/system.slice/tsbox-one.scope')).toBe(false);
    });

    test('what fails leaves no scope; a name that systemd could not have is refused', () => {
      configure((config) => {
        config.process.args = ['/no/such'];
      });
      expect(create().status).toBe(1);
      expect(shown('LoadState')).toEqual(['LoadState=not-found']);
      configure((config) => {
        config.linux.cgroupsPath = '/some/path';
      });
      expect(create().output).toContain('linux.cgroupsPath: expected slice:prefix:name for systemd');
      configure((config) => {
        config.linux.cgroupsPath = 'no-such-thing.slice/x:a:b';
      });
      expect(create().output).toContain('linux.cgroupsPath');
    });

    test.skipIf(!existsSync('/usr/bin/podman'))('podman with systemd as its cgroup manager', () => {
      const wrapper = join(directory, 'tsbox-oci');
      writeFileSync(wrapper, `#!/bin/sh\nexec '${process.execPath}' '${runtime}' "$@"\n`, { mode: 0o755 });
      const limits = 'default_ulimits = ["nofile=1000:1000", "nproc=1000:1000"]';
      writeFileSync(join(directory, 'containers.conf'), `[containers]\n${limits}\n`);
      const podman = (...args: string[]) =>
        inside(
          ...['env', `CONTAINERS_CONF=${join(directory, 'containers.conf')}`, 'podman'],
          ...['--root', join(directory, 'storage'), '--runroot', join(directory, 'run')],
          ...['--storage-driver', 'vfs', '--cgroup-manager', 'systemd', '--runtime', wrapper],
          ...args,
        );
      expect(podman('import', embeddedImage(), 'base')).toMatchObject({ status: 0 });
      const run = ['run', '-d', '--name', 'pod', '--network', 'none', '-m', '64m', 'base', 'sleep', '1000'];
      expect(podman(...run)).toMatchObject({ status: 0 });
      const id = podman('inspect', '--format', '{{.Id}}', 'pod').output.trim();
      const unit = ['systemctl', 'show', `libpod-${id}.scope`];
      expect(
        inside(...unit, '-pSlice', '-pMemoryMax', '-pTasksMax')
          .output.trim()
          .split('\n')
          .sort(),
      ).toEqual([`MemoryMax=${64 << 20}`, 'Slice=machine.slice', 'TasksMax=2048']);
      expect(podman('exec', 'pod', 'cat', '/proc/self/cgroup').output).toBe('0::/\n');
      const format = '{{.Name}} {{.PIDs}} {{.MemUsage}}';
      expect(podman('stats', '--no-stream', '--format', format, 'pod').output).toMatch(
        /^pod 1 .* \/ 67\.1\dMB\n$/,
      );
      expect(podman('rm', '-f', '-t', '0', 'pod').status).toBe(0);
      expect(inside(...unit, '-pLoadState').output).toBe('LoadState=not-found\n');
    });

    test('without a D-Bus systemd itself is asked', () => {
      configure();
      renameSync(SOCKET, `${SOCKET}.away`);
      try {
        expect(create()).toEqual({ status: 0, output: '' });
        expect(shown('ActiveState')).toEqual(['ActiveState=active']);
        expect(oci('delete', '--force', 'one')).toEqual({ status: 0, output: '' });
        expect(shown('LoadState')).toEqual(['LoadState=not-found']);
      } finally {
        renameSync(`${SOCKET}.away`, SOCKET);
      }
    });
  },
);
