import { createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { closeDescriptor, native, syscall } from '../../../src/kernel/index.ts';
import { describeRoot } from '../support/tsbox.ts';
import { type AnyConfig, Containers, read } from './support.ts';

/** Somebody who decides about calls: what it is told, and the descriptor to do so (seccomp_unotify(2)). */
describeRoot('a filter that leaves calls to somebody else', () => {
  const box = new Containers();
  const path = join(box.directory, 'agent.sock');
  const connections: Socket[] = [];
  let server: Server;
  beforeAll(async () => {
    server = createServer({ pauseOnConnect: true }, (socket) => connections.push(socket));
    await new Promise<void>((resolve) => server.listen(path, resolve));
  });
  afterAll(() => {
    server.close();
  });

  /** The next connection: one message, and then its end. */
  async function nextMessage(): Promise<{ told: AnyConfig; listener: number }> {
    await expect.poll(() => connections.length).toBeGreaterThan(0);
    const socket = connections.shift() as Socket;
    const { fd } = (socket as unknown as { _handle: { fd: number } })._handle;
    const data = Buffer.alloc(65536);
    const vector = Buffer.alloc(16);
    vector.writeBigUInt64LE(native().address(data), 0);
    vector.writeBigUInt64LE(BigInt(data.length), 8);
    const control = Buffer.alloc(32);
    const message = Buffer.alloc(56);
    message.writeBigUInt64LE(native().address(vector), 16);
    message.writeBigUInt64LE(1n, 24);
    message.writeBigUInt64LE(native().address(control), 32);
    message.writeBigUInt64LE(24n, 40);
    const length = syscall('recvmsg', [fd, message, 0]);
    const told = JSON.parse(data.toString('utf8', 0, length));
    const listener = control.readInt32LE(16);
    expect(syscall('recvmsg', [fd, message, 0])).toBe(0);
    socket.destroy();
    return { told, listener };
  }
  /** Waits for a call and lets it fail. */
  function refuse(listener: number, errno: number): void {
    const call = Buffer.alloc(80);
    syscall('ioctl', [listener, SECCOMP_IOCTL_NOTIF_RECV, call]);
    const answer = Buffer.alloc(24);
    call.copy(answer, 0, 0, 8);
    answer.writeInt32LE(-errno, 16);
    syscall('ioctl', [listener, SECCOMP_IOCTL_NOTIF_SEND, answer]);
    closeDescriptor(listener);
  }
  const notify =
    (...names: string[]) =>
    (config: AnyConfig) => {
      config.annotations = { a: 'b' };
      config.linux.seccomp = {
        defaultAction: 'SCMP_ACT_ALLOW',
        listenerPath: path,
        listenerMetadata: 'for me',
        syscalls: [{ names, action: 'SCMP_ACT_NOTIFY' }],
      };
    };

  test('it gets the descriptor and the state, of the container and of what is executed in it', async () => {
    const script = 'mkdir /made 2> /out; while :; do sleep 0.1; done';
    const bundle = box.bundle(script, notify('mkdir', 'mkdirat'));
    expect(box.create('asks', bundle)).toMatchObject({ status: 0, stderr: '' });
    const { pid } = box.state('asks');
    const { told, listener } = await nextMessage();
    expect(told).toMatchObject({
      ociVersion: '1.2.1',
      fds: ['seccompFd'],
      pid,
      metadata: 'for me',
      state: { id: 'asks', status: 'creating', pid, annotations: { a: 'b' } },
    });
    expect(box.run('start', 'asks')).toMatchObject({ status: 0, stderr: '' });
    refuse(listener, ENOSPC);
    await expect.poll(() => read(join(bundle, 'rootfs/out'))).toContain('No space left on device');

    const pidFile = join(box.directory, 'exec.pid');
    const inside = 'ls /proc/self/fd > /out2; mkdir /x 2>> /out2';
    const args = ['exec', '--detach', '--pid-file', pidFile, 'asks', 'sh', '-c', inside];
    expect(box.with({ stdio: ['ignore', 'ignore', 'ignore'] }, ...args).status).toBe(0);
    const next = await nextMessage();
    expect(next.told).toMatchObject({
      fds: ['seccompFd'],
      pid: Number(read(pidFile)),
      state: { id: 'asks', status: 'running', pid },
    });
    refuse(next.listener, ENOSPC);
    await expect.poll(() => read(join(bundle, 'rootfs/out2'))).toContain('No space left on device');
    // The program has none of the descriptors; 3 is the directory that ls reads.
    expect(read(join(bundle, 'rootfs/out2'))).toMatch(/^0\n1\n2\n3\nmkdir/);
    expect(box.run('delete', '--force', 'asks').status).toBe(0);
  });

  test('without anybody who listens, or with no way to tell it, there is no container', () => {
    const bundle = box.bundle('true', (config) => {
      notify('mkdir')(config);
      config.linux.seccomp.listenerPath = join(box.directory, 'nobody.sock');
    });
    expect(box.create('alone', bundle).stderr).toContain('connect to linux.seccomp.listenerPath');
    expect(box.create('mute', box.bundle('true', notify('sendmsg'))).stderr).toContain(
      'linux.seccomp.syscalls[0]: SCMP_ACT_NOTIFY for sendmsg',
    );
    expect(box.ids()).toEqual([]);
  });
});

const SECCOMP_IOCTL_NOTIF_RECV = 0xc0502100;
const SECCOMP_IOCTL_NOTIF_SEND = 0xc0182101;
const ENOSPC = 28;
