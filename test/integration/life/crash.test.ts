import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync, readlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { findCgroup } from '../../../src/cgroup/index.ts';
import { leavesNothing } from '../support/leftovers.ts';
import { cli, describeRoot, environment, eventually, image, sleep, store, tsbox } from '../support/tsbox.ts';
import { monitors, record, removesAll, said, stateOf, statusOf } from './support.ts';

const run = (args: string[]) => spawn(cli, args, { env: environment(), stdio: 'ignore' });

/** Starts a command and kills it after so many milliseconds, unless it has ended. */
async function killed(args: string[], delay: number): Promise<void> {
  const child = run(args);
  const end = once(child, 'exit');
  await sleep(delay);
  child.kill('SIGKILL');
  await end;
}

describeRoot('kill -9', () => {
  leavesNothing();
  removesAll();

  it('of the monitor ends the container, and the next command says so', async () => {
    const id = said('run', '-d', '--name', 'orphan', image, 'sleep', '60');
    const { pid, monitor, cgroup } = record(id);
    process.kill(monitor.pid, 'SIGKILL');
    await eventually(() => !existsSync(`/proc/${pid}/exe`), 'the end of the program');
    expect(statusOf('orphan')).toMatch(/^Exited \(137\)/);
    expect(record(id)).toMatchObject({
      status: 'exited',
      error: 'its monitor was killed, and the container with it',
    });
    expect(existsSync(cgroup)).toBe(false);
    expect(said('wait', 'orphan')).toBe('137');
  });

  it('of the monitor while it starts the container: the start says so, or the container is as ended', async () => {
    for (let round = 0; round < 8; round++) {
      const child = run(['run', '-d', '--name', 'early', image, 'sleep', '60']);
      const end = once(child, 'exit');
      while (monitors().length === 0 && child.exitCode === null) await new Promise(setImmediate);
      for (const pid of monitors()) process.kill(pid, 'SIGKILL');
      const [status] = await end;
      expect([0, 125]).toContain(status);
      expect(stateOf('early')).toBe(status === 0 ? 'exited' : 'gone');
      if (status === 0) said('rm', 'early');
    }
  });

  it('of the monitor is seen by who waits, follows or is attached', async () => {
    const id = said('run', '-d', '--name', 'seen', image, 'sh', '-c', 'echo begin; sleep 60');
    const commands = [
      ['wait', 'seen'],
      ['logs', '-f', 'seen'],
      ['attach', '--no-stdin', 'seen'],
    ];
    const ends = commands.map((args) => once(run(args), 'exit'));
    const { pid } = record(id).monitor;
    const sockets = () =>
      readdirSync(`/proc/${pid}/fd`).filter((fd) =>
        readlinkSync(`/proc/${pid}/fd/${fd}`).startsWith('socket:'),
      );
    // The one it listens on, and the connection.
    await eventually(() => sockets().length === 2, 'somebody attached');
    await sleep(500);
    process.kill(pid, 'SIGKILL');
    expect((await Promise.all(ends)).map(([status]) => status)).toEqual([0, 0, 137]);
  });

  it('of tsbox at any moment of `run -d` leaves a container that runs, or none that does', {
    timeout: 240_000,
  }, async () => {
    for (let delay = 20; delay < 500; delay += 20) {
      const name = `at-${delay}`;
      await killed(['run', '-d', '--name', name, image, 'sleep', '60'], delay);
      await eventually(
        () => {
          const state = stateOf(name);
          const settled =
            state === 'gone' || state === 'created' || state === 'exited' || state === 'running';
          return settled && (state === 'running') === (monitors().length === 1);
        },
        () => `${name}: ${stateOf(name)} with ${monitors().length} monitors`,
      );
      if (stateOf(name) !== 'gone') said('rm', '-f', name);
      expect(monitors()).toEqual([]);
    }
  });

  it('of the monitor and of what it becomes, at any moment of the end', { timeout: 240_000 }, async () => {
    for (let delay = 0; delay < 300; delay += 20) {
      const id = said('run', '-d', '--name', 'ending', image, 'sh', '-c', 'sleep 0.2; exit 3');
      const monitor = monitors()[0] ?? 0;
      await sleep(delay);
      try {
        if (monitor > 0) process.kill(monitor, 'SIGKILL');
      } catch {} // it is done
      await eventually(() => stateOf('ending') === 'exited', 'its end');
      expect([3, 137]).toContain(record(id).exitCode);
      // What the monitor has written down counts, whatever became of it then.
      if (readFileSync(join(store, 'containers', id, 'exit'), 'latin1').startsWith('3 '))
        expect(record(id).exitCode).toBe(3);
      expect(said('wait', 'ending')).toBe(String(record(id).exitCode));
      said('rm', 'ending');
    }
  });

  it('of stop, rm and restart: the next one succeeds', { timeout: 240_000 }, async () => {
    for (const [command, ...args] of [
      ['stop', '-t', '0'],
      ['rm', '-f'],
      ['restart', '-t', '0'],
    ] as [string, ...string[]][]) {
      for (let delay = 40; delay < 400; delay += 60) {
        const id = said('run', '-d', '--name', 'victim', image, 'sleep', '60');
        await killed([command, ...args, 'victim'], delay);
        const again = tsbox(['rm', '-f', 'victim']);
        expect([0, 125]).toContain(again.status);
        await eventually(
          () => stateOf('victim') === 'gone' && !existsSync(join(store, 'names', 'victim')),
          'its removal',
        );
        expect(existsSync(join(store, 'containers', id))).toBe(false);
        expect(existsSync(join(findCgroup().mountPoint, 'tsbox', id))).toBe(false);
      }
    }
  });
});

describeRoot('a damaged record', () => {
  leavesNothing();
  removesAll();

  it('is replaced by the last whole one, and that is said once', async () => {
    const id = said('create', '--name', 'torn', image, 'true');
    said('start', 'torn');
    said('wait', 'torn');
    said('start', 'torn');
    said('wait', 'torn');
    const file = join(store, 'containers', id, 'container.json');
    // Who takes care of its end would mend it, and say so to nobody.
    await eventually(() => readFileSync(file, 'utf8').includes('"status":"exited"'), 'its end on disk');
    truncateSync(file, 100);
    const { status, stderr, stdout } = tsbox(['ps', '-a', '--format', '{{.Names}}']);
    expect({ status, stdout }).toEqual({ status: 0, stdout: 'torn\n' });
    expect(stderr.match(/is damaged; the state before the last change counts/g)?.length).toBe(1);
    writeFileSync(file, '');
    expect(said('start', 'torn')).toBe('torn');
    expect(said('wait', 'torn')).toBe('0');
    expect(readdirSync(join(store, 'containers', id)).filter((name) => name.endsWith('.new'))).toEqual([]);
  });
});
