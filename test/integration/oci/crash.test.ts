import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { describeRoot, eventually } from '../support/tsbox.ts';
import { Containers, environment, runtime } from './support.ts';

describeRoot('a command that is killed', () => {
  const box = new Containers();
  const processes = (id: string) => readFileSync(join(box.cgroup(id), 'cgroup.procs'), 'utf8').trim();

  test('create, while its hooks run: nothing goes on, and delete --force finds the rest', {
    timeout: 120_000,
  }, async () => {
    const began = join(box.directory, 'began');
    const bundle = box.bundle('true', (config) => {
      const args = ['sh', '-c', `touch ${began}; exec sleep 5`];
      config.hooks = { createRuntime: [{ path: '/bin/sh', args, env: ['PATH=/usr/bin:/bin'] }] };
    });
    const child = spawn(runtime, ['--root', box.root, 'create', '--bundle', bundle, 'half'], {
      env: environment(),
      stdio: 'ignore',
    });
    await eventually(() => existsSync(began), 'its hook');
    expect(box.state('half').status).toBe('creating');
    expect(processes('half')).not.toBe('');
    child.kill('SIGKILL');
    // Its PID 1 is gone only when this machine's init has reaped what entered the namespace (pid_namespaces(7)); some look every ten seconds.
    await eventually(() => processes('half') === '', 'the end of the half-made container', 60);
    expect(box.state('half').status).toBe('stopped');
    expect(box.run('start', 'half').stderr).toContain('cannot start a container that has stopped');
    expect(box.run('delete', '--force', 'half')).toMatchObject({ status: 0, stderr: '' });
    expect(existsSync(box.cgroup('half'))).toBe(false);
    expect(box.ids()).toEqual([]);
  });

  test('the waiting container: start says so', async () => {
    expect(box.create('dies', box.bundle('true'))).toMatchObject({ status: 0, stderr: '' });
    const { pid } = box.state('dies');
    process.kill(pid, 'SIGKILL');
    await eventually(() => box.state('dies').status === 'stopped', 'stopped');
    expect(box.run('start', 'dies').stderr).toContain('cannot start a container that has stopped');
    expect(box.run('delete', 'dies').status).toBe(0);
  });

  test('two that create the same container: one of them does', async () => {
    const bundles = [box.bundle('sleep 100'), box.bundle('sleep 100')];
    const codes = await Promise.all(
      bundles.map(
        (bundle) =>
          new Promise((resolve) => {
            const args = ['--root', box.root, 'create', '--bundle', bundle, 'same'];
            spawn(runtime, args, { env: environment(), stdio: 'ignore' }).on('exit', resolve);
          }),
      ),
    );
    expect(codes.sort()).toEqual([0, 1]);
    expect(box.state('same').status).toBe('created');
    expect(box.run('delete', 'same').status).toBe(0);
  });
});
