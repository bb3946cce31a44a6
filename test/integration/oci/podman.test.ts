import { readlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { eventually } from '../support/tsbox.ts';
import { call, describeEngine, imageTar, wrapper } from './engines.ts';
import { temporaryDirectory } from './support.ts';

describeEngine('podman --runtime tsbox-oci', ['podman', 'conmon', 'buildah', 'script'], () => {
  const directory = temporaryDirectory();
  const own = [
    '--root',
    join(directory, 'storage'),
    '--runroot',
    join(directory, 'run'),
    '--storage-driver',
    'vfs',
  ];
  const CONTAINERS_CONF = join(directory, 'containers.conf');
  let runtime = '';
  const podman = (args: readonly string[], input?: string) =>
    call('podman', [...own, '--cgroup-manager', 'cgroupfs', '--runtime', runtime, ...args], {
      env: { CONTAINERS_CONF },
      ...(input !== undefined && { input }),
    });
  const run = (...args: string[]) => podman(['run', '--rm', '--network', 'none', ...args]);

  beforeAll(() => {
    // Podman's own defaults are more than some machines let even root have.
    writeFileSync(
      CONTAINERS_CONF,
      '[containers]\ndefault_ulimits = ["nofile=1000:1000", "nproc=1000:1000"]\n',
    );
    runtime = wrapper(directory);
    expect(podman(['import', imageTar(directory), 'base'])).toMatchObject({ status: 0 });
  });
  afterAll(() => {
    podman(['rm', '-fa', '-t', '0']);
    call('umount', [join(directory, 'storage', 'vfs')]);
  });

  test('run: output, status, a program that is not there', () => {
    expect(run('base', 'sh', '-c', 'echo out; echo err >&2; exit 7')).toEqual({
      status: 7,
      stdout: 'out\n',
      stderr: 'err\n',
    });
    expect(run('base', 'nosuch').status).toBe(127);
    expect(run('base', '/etc/passwd').status).toBe(126);
  });

  test('run -d, logs, exec, pause, stop, start, kill, rm', async () => {
    const script = 'trap "echo bye; exit 4" TERM; echo began; while :; do sleep 0.1; done';
    expect(
      podman(['run', '-d', '--name', 'long', '--network', 'none', 'base', 'sh', '-c', script]).status,
    ).toBe(0);
    const status = () =>
      podman(['inspect', '--format', '{{.State.Status}} {{.State.ExitCode}}', 'long']).stdout.trim();
    await eventually(() => podman(['logs', 'long']).stdout === 'began\n', 'began', 30);
    expect(podman(['exec', 'long', 'sh', '-c', 'exit 9']).status).toBe(9);
    expect(podman(['exec', '-i', 'long', 'cat'], 'in\n').stdout).toBe('in\n');
    expect(
      podman(['exec', '-u', '7:8', '-w', '/tmp', '-e', 'A=b', 'long', 'sh', '-c', 'id -u; pwd; echo $A'])
        .stdout,
    ).toBe('7\n/tmp\nb\n');
    expect(podman(['exec', 'long', 'nosuch']).status).toBe(127);
    expect(podman(['pause', 'long']).status).toBe(0);
    expect(status()).toBe('paused 0');
    expect(podman(['unpause', 'long']).status).toBe(0);
    expect(podman(['stop', '-t', '10', 'long']).status).toBe(0);
    expect(status()).toBe('exited 4');
    expect(podman(['logs', 'long']).stdout).toBe('began\nbye\n');
    expect(podman(['start', 'long']).status).toBe(0);
    expect(podman(['kill', 'long']).status).toBe(0);
    await eventually(() => status() === 'exited 137', 'killed', 30);
    expect(podman(['rm', 'long']).status).toBe(0);
  });

  test('healthcheck: by exec, healthy and not', () => {
    const health = ['--health-cmd', 'test -e /tmp/well', '--health-interval', 'disable'];
    const run = ['run', '-d', '--name', 'sick', '--network', 'none', ...health, 'base', 'sleep', '1000'];
    expect(podman(run).status).toBe(0);
    expect(podman(['healthcheck', 'run', 'sick']).status).toBe(1);
    expect(podman(['exec', 'sick', 'touch', '/tmp/well']).status).toBe(0);
    expect(podman(['healthcheck', 'run', 'sick']).status).toBe(0);
    expect(podman(['rm', '-f', '-t', '0', 'sick']).status).toBe(0);
  });

  test('run --init, --tmpfs, --read-only, --volume', () => {
    expect(run('--init', 'base', 'cat', '/proc/1/comm').stdout).toMatch(/podman-init|catatonit/);
    const script =
      'touch /etc/x && test -e /etc/passwd && echo copied; touch /y 2>/dev/null || echo read-only; cat /data/file';
    writeFileSync(join(directory, 'file'), 'volume\n');
    const args = [
      '--read-only',
      '--tmpfs',
      '/etc',
      '-v',
      `${directory}:/data:ro`,
      'base',
      'sh',
      '-c',
      script,
    ];
    expect(run(...args).stdout).toBe('copied\nread-only\nvolume\n');
  });

  test('run -it: a terminal, by the console socket', () => {
    // Of a program that ends at once, Podman 4.3 loses what it says now and then, with whatever runtime (6 of 40 with runc).
    const line = `podman ${[...own, '--cgroup-manager', 'cgroupfs', '--runtime', runtime].join(' ')} run --rm -it --network none base sh -c "tty; sleep 1"`;
    expect(call('script', ['-qec', line, '/dev/null'], { env: { CONTAINERS_CONF } }).stdout).toContain(
      '/dev/pts/0',
    );
  });

  test('buildah run --runtime', () => {
    const buildah = (...args: string[]) =>
      call('buildah', [...own, ...args], { env: { CONTAINERS_CONF, BUILDAH_ISOLATION: 'oci' } });
    const container = buildah('from', 'localhost/base').stdout.trim();
    const run = ['run', '--runtime', runtime, container, '--'];
    expect(buildah(...run, 'sh', '-c', 'echo out; touch /made; exit 3')).toMatchObject({
      status: 3,
      stdout: 'out\n',
    });
    expect(buildah(...run, 'ls', '/made').stdout).toBe('/made\n');
    expect(buildah('rm', container).status).toBe(0);
  });

  test('pods: namespaces that another container has made', () => {
    expect(
      podman([
        'pod',
        'create',
        '--name',
        'pod',
        '--network',
        'none',
        '--infra-image',
        'base',
        '--infra-command',
        'sleep 1000',
      ]).status,
    ).toBe(0);
    const inPod = (kind: string) =>
      podman(['run', '--rm', '--pod', 'pod', 'base', 'readlink', `/proc/self/ns/${kind}`]).stdout;
    expect(inPod('ipc')).toBe(inPod('ipc'));
    expect(inPod('ipc')).not.toBe(`${readlinkSync('/proc/self/ns/ipc')}\n`);
    expect(podman(['pod', 'rm', '-f', '-t', '0', 'pod']).status).toBe(0);
  });
});
