import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { findCgroup } from '../../../src/cgroup/index.ts';
import { removeCgroupNow } from '../../../src/cgroup/remove.ts';
import { eventually, tsbox } from '../support/tsbox.ts';
import { callCri, type Fields } from './cri-client.ts';
import { call, describeEngine, imageTar, wrapper } from './engines.ts';
import { environment, temporaryDirectory } from './support.ts';

/** As docs/engines.md configures it, asked as a kubelet asks; there is none here. The pod has the host's network, since others need plugins of CNI. */
describeEngine("containerd's CRI plugin with tsbox-oci", ['containerd', 'ctr'], () => {
  const directory = temporaryDirectory();
  const socket = join(directory, 'c.sock');
  const logs = join(directory, 'logs');
  let daemon: ChildProcess;
  const cri = (method: string, request: Fields) => callCri(socket, method, request);
  const sandbox: Fields = {
    1: { 1: 'pod', 2: 'uid', 3: 'default', 4: 0 },
    3: logs,
    // Its network is the node's; its processes are seen by its own containers only.
    8: { 1: '/tsbox-cri', 2: { 1: { 1: 2, 2: 1, 3: 0 } } },
  };

  beforeAll(async () => {
    mkdirSync(logs);
    const cri = 'plugins."io.containerd.grpc.v1.cri"';
    const disabled = ['btrfs', 'zfs', 'devmapper', 'aufs'];
    const lines = [
      'version = 2',
      `root = "${directory}/root"`,
      `state = "${directory}/state"`,
      `disabled_plugins = [${disabled.map((name) => `"io.containerd.snapshotter.v1.${name}"`).join(', ')}]`,
      '[grpc]',
      `address = "${socket}"`,
      '[ttrpc]',
      `address = "${directory}/t.sock"`,
      `[${cri}]`,
      'sandbox_image = "docker.io/library/pause:latest"',
      'restrict_oom_score_adj = true',
      'stream_server_port = "0"',
      `[${cri}.containerd]`,
      'snapshotter = "native"',
      // Whoever names one must name the default one too.
      `[${cri}.containerd.runtimes.runc]`,
      'runtime_type = "io.containerd.runc.v2"',
      `[${cri}.containerd.runtimes.tsbox]`,
      'runtime_type = "io.containerd.runc.v2"',
      `[${cri}.containerd.runtimes.tsbox.options]`,
      `BinaryName = "${wrapper(directory)}"`,
      'SystemdCgroup = false',
    ];
    writeFileSync(join(directory, 'containerd.toml'), lines.join('\n'));
    const log = openSync(join(directory, 'containerd.log'), 'w');
    const args = ['-c', join(directory, 'containerd.toml')];
    daemon = spawn('containerd', args, { env: environment(), stdio: ['ignore', log, log] });
    const ctr = (...more: string[]) => call('ctr', ['-a', socket, '-n', 'k8s.io', ...more]);
    await eventually(() => ctr('version').status === 0, 'containerd', 60);
    const archive = join(directory, 'pause.tar');
    const change = ['-c', 'CMD ["sleep", "100000"]'];
    expect(tsbox(['import', '-q', ...change, imageTar(directory), 'pause'])).toMatchObject({ status: 0 });
    expect(tsbox(['save', '-o', archive, 'pause'])).toMatchObject({ status: 0 });
    expect(tsbox(['rmi', 'pause'])).toMatchObject({ status: 0 });
    expect(ctr('image', 'import', '--snapshotter', 'native', archive)).toMatchObject({ status: 0 });
  }, 180_000);
  afterAll(async () => {
    daemon.kill('SIGTERM');
    await eventually(() => daemon.exitCode !== null || daemon.signalCode !== null, 'its end', 30);
    // The pods' parent, which a kubelet would remove.
    removeCgroupNow(join(findCgroup().mountPoint, 'tsbox-cri'));
  });

  test('a pod of the RuntimeClass: its container runs, is executed in, stops with a status, and is removed', async () => {
    const pod = (await cri('RunPodSandbox', { 1: sandbox, 2: 'tsbox' })).text(1);
    expect(pod).toMatch(/^[0-9a-f]{64}$/);
    const script = 'trap "exit 4" TERM; echo began; while :; do sleep 0.1; done';
    const config: Fields = {
      1: { 1: 'main', 2: 0 },
      2: { 1: 'docker.io/library/pause:latest' },
      3: ['sh', '-c', script],
      6: [{ 1: 'A', 2: 'b' }],
      11: 'main.log',
      15: { 1: { 3: 2, 5: 500 }, 2: { 3: { 1: 2, 2: 1, 3: 0 } } },
    };
    const container = (await cri('CreateContainer', { 1: pod, 2: config, 3: sandbox })).text(1);
    await cri('StartContainer', { 1: container });
    const state = async () => {
      const status = (await cri('ContainerStatus', { 1: container })).part(1);
      return [status.number(3), status.number(7)];
    };
    // CONTAINER_RUNNING
    expect(await state()).toEqual([1, 0]);
    await eventually(
      () => readFileSync(join(logs, 'main.log'), 'utf8').includes('stdout F began'),
      'its log',
    );
    const command = ['sh', '-c', 'echo $A; cat /proc/1/oom_score_adj; exit 9'];
    const ran = await cri('ExecSync', { 1: container, 2: command, 3: 20 });
    expect([ran.text(1), ran.number(3)]).toEqual(['b\n500\n', 9]);
    await cri('StopContainer', { 1: container, 2: 20 });
    // CONTAINER_EXITED
    expect(await state()).toEqual([2, 4]);
    await cri('RemoveContainer', { 1: container });
    await cri('StopPodSandbox', { 1: pod });
    await cri('RemovePodSandbox', { 1: pod });
    await expect(cri('ContainerStatus', { 1: container })).rejects.toThrow(/ContainerStatus: 5 /);
  }, 120_000);

  test('a handler that is not there is refused', async () => {
    await expect(cri('RunPodSandbox', { 1: sandbox, 2: 'other' })).rejects.toThrow(/no runtime for "other"/);
  });
});
