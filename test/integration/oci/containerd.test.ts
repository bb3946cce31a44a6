import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, openSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { eventually } from '../support/tsbox.ts';
import { call, describeEngine, imageTar, wrapper } from './engines.ts';
import { environment, temporaryDirectory } from './support.ts';

describeEngine(
  'containerd and dockerd with tsbox-oci',
  ['containerd', 'ctr', 'dockerd', '/usr/bin/docker'],
  () => {
    const directory = temporaryDirectory();
    const address = join(directory, 'c.sock');
    const DOCKER_HOST = `unix://${join(directory, 'd.sock')}`;
    const daemons: ChildProcess[] = [];
    let runtime = '';
    const daemon = (name: string, ...args: string[]) => {
      const log = openSync(join(directory, `${name}.log`), 'w');
      daemons.push(spawn(name, args, { env: environment(), stdio: ['ignore', log, log] }));
    };
    const ctr = (...args: string[]) => call('ctr', ['-a', address, ...args]);
    const docker = (args: readonly string[], input?: string) =>
      call('/usr/bin/docker', args, { env: { DOCKER_HOST }, ...(input !== undefined && { input }) });
    const run = (...args: string[]) => docker(['run', '--rm', '--network', 'none', ...args]);

    beforeAll(async () => {
      runtime = wrapper(directory);
      const disabled = [
        'grpc.v1.cri',
        'snapshotter.v1.btrfs',
        'snapshotter.v1.zfs',
        'snapshotter.v1.devmapper',
      ];
      const plugins = disabled.map((name) => `"io.containerd.${name}"`).join(', ');
      const lines = [
        'version = 2',
        `root = "${directory}/root"`,
        `state = "${directory}/state"`,
        `disabled_plugins = [${plugins}]`,
      ];
      lines.push('[grpc]', `address = "${address}"`, '[ttrpc]', `address = "${directory}/t.sock"`);
      writeFileSync(join(directory, 'containerd.toml'), lines.join('\n'));
      daemon('containerd', '-c', join(directory, 'containerd.toml'));
      await eventually(() => ctr('version').status === 0, 'containerd', 60);
      mkdirSync(join(directory, 'docker'));
      const config = {
        'data-root': join(directory, 'docker'),
        'exec-root': join(directory, 'exec'),
        pidfile: join(directory, 'docker.pid'),
        hosts: [DOCKER_HOST],
        iptables: false,
        ip6tables: false,
        bridge: 'none',
        containerd: address,
        'storage-driver': 'vfs',
        runtimes: { tsbox: { path: runtime } },
        'default-runtime': 'tsbox',
        'exec-opts': ['native.cgroupdriver=cgroupfs'],
      };
      writeFileSync(join(directory, 'daemon.json'), JSON.stringify(config));
      daemon('dockerd', '--config-file', join(directory, 'daemon.json'));
      await eventually(() => docker(['version']).status === 0, 'dockerd', 60);
      expect(docker(['import', imageTar(directory), 'base'])).toMatchObject({ status: 0 });
      expect(docker(['save', '-o', join(directory, 'base.tar'), 'base'])).toMatchObject({ status: 0 });
      expect(ctr('image', 'import', '--snapshotter', 'native', join(directory, 'base.tar'))).toMatchObject({
        status: 0,
      });
    }, 180_000);
    afterAll(async () => {
      // dockerd first: it asks containerd to end its containers.
      for (const child of daemons.reverse()) {
        child.kill('SIGTERM');
        await eventually(() => child.exitCode !== null || child.signalCode !== null, 'its end', 30).catch(
          () => child.kill('SIGKILL'),
        );
      }
    });

    const own = () => ['--snapshotter', 'native', '--runc-binary', runtime];
    const image = 'docker.io/library/base:latest';

    test('ctr run --runc-binary: output, status', () => {
      const ran = ctr('run', '--rm', ...own(), image, 'one', 'sh', '-c', 'echo out; exit 5');
      expect(ran).toMatchObject({ status: 5, stdout: 'out\n' });
    });

    test('ctr run -d, task exec, pause, resume, kill, rm', async () => {
      const script = 'trap "exit 4" TERM; while :; do sleep 0.1; done';
      expect(ctr('run', '-d', ...own(), image, 'two', 'sh', '-c', script)).toMatchObject({ status: 0 });
      const status = () => /^two +\d+ +(\w+)/m.exec(ctr('task', 'ls').stdout)?.[1];
      expect(status()).toBe('RUNNING');
      expect(ctr('task', 'exec', '--exec-id', 'e', 'two', 'sh', '-c', 'echo in; exit 9')).toMatchObject({
        status: 9,
        stdout: 'in\n',
      });
      expect(ctr('task', 'pause', 'two').status).toBe(0);
      expect(status()).toBe('PAUSED');
      expect(ctr('task', 'resume', 'two').status).toBe(0);
      expect(ctr('task', 'kill', '-s', 'KILL', 'two').status).toBe(0);
      await eventually(() => status() === 'STOPPED', 'stopped', 30);
      ctr('task', 'rm', 'two');
      expect(ctr('container', 'rm', 'two').status).toBe(0);
    });

    test('docker run: output, status, seccomp, a program that is not there', () => {
      const ran = run('base', 'sh', '-c', 'echo out; echo err >&2; grep Seccomp: /proc/self/status; exit 7');
      expect(ran).toEqual({ status: 7, stdout: 'out\nSeccomp:\t2\n', stderr: 'err\n' });
      expect(run('base', 'nosuch').status).toBe(127);
      expect(run('base', '/etc/passwd').status).toBe(126);
      expect(run('--init', 'base', 'cat', '/proc/1/comm').stdout).toBe('docker-init\n');
      expect(
        run('--read-only', '--tmpfs', '/x', 'base', 'sh', '-c', 'touch /x/y && echo yes; touch /y || echo no')
          .stdout,
      ).toBe('yes\nno\n');
    });

    test('docker run -d, logs, exec, pause, stop, kill, rm', async () => {
      const script = 'trap "echo bye; exit 4" TERM; echo began; while :; do sleep 0.1; done';
      expect(
        docker(['run', '-d', '--name', 'long', '--network', 'none', 'base', 'sh', '-c', script]).status,
      ).toBe(0);
      const status = () =>
        docker(['inspect', '--format', '{{.State.Status}} {{.State.ExitCode}}', 'long']).stdout.trim();
      await eventually(() => docker(['logs', 'long']).stdout === 'began\n', 'began', 30);
      expect(docker(['exec', 'long', 'sh', '-c', 'exit 9']).status).toBe(9);
      expect(docker(['exec', '-i', 'long', 'cat'], 'in\n').stdout).toBe('in\n');
      expect(docker(['pause', 'long']).status).toBe(0);
      expect(status()).toBe('paused 0');
      expect(docker(['unpause', 'long']).status).toBe(0);
      expect(docker(['stop', '-t', '10', 'long']).status).toBe(0);
      expect(status()).toBe('exited 4');
      expect(docker(['start', 'long']).status).toBe(0);
      expect(docker(['kill', 'long']).status).toBe(0);
      await eventually(() => status() === 'exited 137', 'killed', 30);
      expect(docker(['rm', 'long']).status).toBe(0);
    });
  },
);
