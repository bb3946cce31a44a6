import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, readFileSync, watch } from 'node:fs';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { expectNothingLeft, leftovers, makePlace } from '../../fixtures/leftovers.ts';
import { CLI, printed, startBox, tsbox } from '../../fixtures/tsbox.ts';
import { describeRoot } from '../support/tsbox.ts';

/** How many starts are killed in each of the ways; TSBOX_CRASH_RUNS=2000 for a night's work. */
const RUNS = Number(process.env.TSBOX_CRASH_RUNS ?? 40);

describeRoot('kill -9 of tsbox leaves nothing', () => {
  const place = makePlace();
  const running: ChildProcess[] = [];

  // Imports the embedded image, which is not what is tested here.
  beforeAll(() => void printed(place, 'busybox', 'true'));
  afterEach(async () => {
    for (const child of running.splice(0)) child.kill('SIGKILL');
    await expectNothingLeft(place);
  });
  afterAll(() => place.remove());

  /** A container with two processes, so that one is not a child of tsbox. */
  function start(...flags: string[]): ChildProcess {
    const child = startBox(place, ...flags, 'busybox', 'sh', '-c', 'sleep 1000 & echo up; wait');
    running.push(child);
    return child;
  }

  async function kill(child: ChildProcess): Promise<void> {
    child.kill('SIGKILL');
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
  }

  /** Resolves when the container begins to be made. */
  async function begun(): Promise<void> {
    const watcher = watch(join(place.root, 'containers'));
    await once(watcher, 'change');
    watcher.close();
  }

  /** Passes milliseconds without giving way: a timer would always fire between two system calls of ours, never of theirs. */
  function spin(milliseconds: number): void {
    const end = performance.now() + milliseconds;
    while (performance.now() < end);
  }

  const each = Array.from({ length: RUNS }, (_, index) => index);
  const ways = [[], ['--userns', 'auto'], ['--init', '--tmpfs', '/tmp'], ['-v', '/usr:/mnt/usr:ro']];

  test('at any moment of its life', { timeout: 60_000 + RUNS * 2000 }, async () => {
    for (const run of each) {
      // The name is taken anew each time: the one that was killed must not keep it.
      const child = start('--name', 'mortal', ...(ways[run % ways.length] as string[]));
      await sleep(Math.random() * 400);
      await kill(child);
      await expectNothingLeft(place);
    }
  });

  test('in the thirty milliseconds of a start', { timeout: 60_000 + RUNS * 2000 }, async () => {
    for (const run of each) {
      const beginning = begun();
      const child = start('--name', 'mortal', ...(ways[run % ways.length] as string[]));
      await beginning;
      spin(Math.random() * 30);
      await kill(child);
      await expectNothingLeft(place);
    }
  });

  test('several at once', { timeout: 60_000 + RUNS * 1000 }, async () => {
    for (const _ of each.slice(0, Math.ceil(RUNS / 5))) {
      const children = [start(), start('--userns', 'auto'), start('--init'), start(), start()];
      await sleep(100 + Math.random() * 400);
      await Promise.all(children.map(kill));
      await expectNothingLeft(place);
    }
  });

  test('a container that is kept is an ended one afterwards, with what it wrote', async () => {
    const args = ['run', '--name', 'kept', '--cgroup-parent', place.cgroupParent, 'busybox'];
    const child = spawn(
      process.execPath,
      [CLI, ...args, 'sh', '-c', 'echo text > /file; echo up; sleep 1000'],
      {
        env: place.environment,
      },
    );
    await up(child);
    await kill(child);
    for (const end = Date.now() + 10_000; Date.now() < end && leftovers(place).length !== 2; )
      await sleep(20);
    const [id] = readdirSync(join(place.root, 'containers')) as [string];
    expect(leftovers(place)).toEqual([`container ${id}`, 'name kept']);
    expect(
      JSON.parse(readFileSync(join(place.root, 'containers', id, 'container.json'), 'utf8')),
    ).toMatchObject({
      name: 'kept',
      status: 'exited',
      exitCode: 137,
    });
    expect(readFileSync(join(place.root, 'containers', id, 'upper', 'file'), 'utf8')).toBe('text\n');
    expect(tsbox(place, ['ps', '-a', '--format', '{{.Names}} {{.Status}}']).stdout).toMatch(
      /^kept Exited \(137\)/,
    );
    expect(tsbox(place, ['rm', 'kept']).status).toBe(0);
  });

  describeJanitorless('ps', ['ps']);
  describeJanitorless('run', [
    'run',
    '--rm',
    '--name',
    'mortal',
    '--cgroup-parent',
    place.cgroupParent,
    'busybox',
    'true',
  ]);
  describeJanitorless('rm -f', ['rm', '-f', 'kept']);

  /** Who kills the janitor too leaves the work to the next command. `rm` needs something to remove besides. */
  function describeJanitorless(name: string, command: string[]): void {
    test(`the janitor killed, and then tsbox: the next \`tsbox ${name}\` cleans up`, async () => {
      if (command.includes('kept'))
        tsbox(place, ['run', '--name', 'kept', '--cgroup-parent', place.cgroupParent, 'busybox', 'true']);
      const child = start('--name', 'mortal');
      await up(child);
      process.kill(janitorOf(child), 'SIGKILL');
      await kill(child);
      await sleep(300);
      expect(leftovers(place)).toContain('name mortal');
      expect(tsbox(place, command)).toMatchObject({ status: 0, stderr: '' });
      expect(leftovers(place)).toEqual([]);
    });
  }

  test('the janitor killed, and nothing else: the container runs and ends as ever', async () => {
    const child = startBox(place, 'busybox', 'sh', '-c', 'echo up; sleep 1; echo end; exit 7');
    await up(child);
    process.kill(janitorOf(child), 'SIGKILL');
    expect(await once(child, 'exit')).toEqual([7, null]);
  });

  test('a cgroup of its own below, and a directory that nobody may enter', async () => {
    const child = start('--tmpfs', '/tmp', '-v', `${place.root}:/host`, '--cap-drop', 'ALL');
    await up(child);
    const [group] = readdirSync(place.cgroup, { withFileTypes: true }).filter((entry) => entry.isDirectory());
    mkdirSync(join(place.cgroup, group?.name ?? '', 'below', 'it'), { recursive: true });
    await kill(child);
    await expectNothingLeft(place);
    // What was mounted into it is not what it wrote.
    expect(existsSync(join(place.root, 'containers'))).toBe(true);
  });
});

/** Resolves when the container says something, which is a word for that it runs. */
async function up(tsbox: ChildProcess): Promise<void> {
  const said = await Promise.race([
    once(tsbox.stdout as Readable, 'data').then(String),
    once(tsbox.stderr as Readable, 'data').then(String),
    once(tsbox, 'exit').then(() => 'the end'),
  ]);
  expect(said).toBe('up\n');
}

function janitorOf(tsbox: ChildProcess): number {
  const children = readFileSync(`/proc/${tsbox.pid}/task/${tsbox.pid}/children`, 'utf8')
    .trim()
    .split(' ')
    .map(Number);
  const janitor = children.find((pid) => readFileSync(`/proc/${pid}/comm`, 'utf8') === 'janitor\n');
  if (janitor === undefined) throw new Error(`no janitor among ${children}`);
  return janitor;
}
