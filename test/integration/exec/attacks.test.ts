import { execFileSync } from 'node:child_process';
import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { afterAll, expect, test } from 'vitest';
import { type Container, run, type StartOptions, TsboxError } from '../../../src/index.ts';
import { makePlace } from '../../fixtures/leftovers.ts';
import { describeRoot, eventually } from '../support/tsbox.ts';

const EXECS = 250;

/**
 * The attackers are C programs (test/fixtures/exec/): they must be faster than the few microseconds in which the process that enters is
 * neither outside the container nor the container's own program. That each attack works at all is seen first, with an entering program
 * that is deliberately weak.
 */
describeRoot('attacks on what enters a container', () => {
  const place = makePlace();
  process.env.TSBOX_ROOT = place.root;
  const shared = mkdtempSync(join(tmpdir(), 'tsbox-attack-'));
  afterAll(() => {
    rmSync(shared, { recursive: true, force: true });
    place.remove();
  });
  const compile = (name: string) => {
    const source = join(import.meta.dirname, '..', '..', 'fixtures', 'exec', `${name}.c`);
    execFileSync('gcc', ['-O2', '-static', '-o', join(shared, name), source]);
  };
  mkdirSync(join(shared, 'in'));
  compile('attacker');
  compile('weak-enter');
  copyFileSync(join(shared, 'attacker'), join(shared, 'in', 'attacker'));

  /** A word that is in our memory and nowhere else: the attacker looks for it. */
  const secret = `secret-${process.pid}-${Date.now()}`;

  /** Runs the attacker in a container while something enters that. What it got, by name: see attacker.c. */
  async function attack(
    enter: (box: Container) => Promise<void>,
    options: StartOptions = {},
  ): Promise<Record<string, number>> {
    rmSync(join(shared, 'in', 'stop'), { force: true });
    const command = ['/shared/attacker', '/shared/stop', secret];
    const box = await run('busybox', command, {
      cgroupParent: place.cgroupParent,
      volumes: [`${join(shared, 'in')}:/shared`],
      ...options,
    });
    try {
      let said = '';
      const output = box.stdout as Readable;
      output.on('data', (chunk) => {
        said += chunk;
      });
      await eventually(() => said.includes('ready'), 'the attacker');
      await enter(box);
      writeFileSync(join(shared, 'in', 'stop'), '');
      await box.wait();
      const lines = said.trim().split('\n').slice(1);
      return Object.fromEntries(lines.map((line) => line.split(' ')).map(([name, n]) => [name, Number(n)]));
    } finally {
      await box[Symbol.asyncDispose]();
    }
  }

  /** The program is in the last of many directories, each of which is tried: the attacker has ten times as long as usual. */
  const PATH = [...Array.from({ length: 60 }, (_, index) => `/nowhere/${index}`), '/bin'].join(':');

  async function tsboxEnters(box: Container): Promise<void> {
    const ignored = { stdin: 'ignore', stdout: 'ignore', stderr: 'ignore' } as const;
    for (let index = 0; index < EXECS; index++) {
      const program = await box.exec(['true'], { env: { PATH }, ...ignored });
      expect(await program.wait()).toEqual({ code: 0 });
    }
  }

  async function weakEnters(box: Container): Promise<void> {
    for (let index = 0; index < 40; index++)
      execFileSync(join(shared, 'weak-enter'), [String(box.pid), secret]);
  }

  const powers: [string, StartOptions][] = [
    ['with Docker’s capabilities', {}],
    ['with CAP_SYS_PTRACE', { capAdd: ['SYS_PTRACE'] }],
  ];

  test.each(powers)('each attack works on a program that enters carelessly, %s', async (_, options) => {
    compile('weak-enter');
    const got = await attack(weakEnters, options);
    for (const name of [
      'seen',
      'exe',
      'written',
      'mem',
      'secret',
      'fds',
      'hostFds',
      'root',
      'traced',
      'unfiltered',
    ])
      expect(got[name], `${name} in ${JSON.stringify(got)}`).toBeGreaterThan(0);
    expect(readFileSync(join(shared, 'weak-enter'), 'latin1').slice(0, 13)).toBe('#!overwritten');
  });

  test('CVE-2019-5736, CVE-2016-9962: a container gets hold of nothing that enters it', async () => {
    const got = await attack(tsboxEnters);
    expect(got.seen, 'the attacker was too slow to see anything').toBeGreaterThan(0);
    const { seen: _, ...taken } = got;
    expect(taken).toEqual({
      ...{ exe: 0, written: 0, mem: 0, secret: 0, fds: 0, hostFds: 0, root: 0, traced: 0 },
      ...{ stronger: 0, unfiltered: 0 },
    });
  });

  test('CVE-2019-5736, CVE-2016-9962: with CAP_SYS_PTRACE it gets hold of what has nothing to give', async () => {
    const got = await attack(tsboxEnters, { capAdd: ['SYS_PTRACE'] });
    expect(got.seen, 'the attacker was too slow to see anything').toBeGreaterThan(0);
    const { written, secret: read, hostFds, stronger, unfiltered } = got;
    expect({ written, read, hostFds, stronger, unfiltered }).toEqual({
      ...{ written: 0, read: 0, hostFds: 0, stronger: 0, unfiltered: 0 },
    });
  });

  test('CVE-2024-21626: no working directory leads out of the container', async () => {
    const inside = join(shared, 'in');
    for (const [name, target] of [
      ['fd', '/proc/self/fd/4'],
      ['root', '/proc/1/root'],
      ['cwd', '/proc/self/cwd/..'],
    ])
      symlinkSync(target as string, join(inside, `link-${name}`));
    await using box = await run('busybox', ['sleep', '1000'], {
      cgroupParent: place.cgroupParent,
      volumes: [`${inside}:/shared`],
    });
    const places = [
      ...Array.from({ length: 30 }, (_, fd) => `/proc/self/fd/${fd}`),
      ...['/proc/self/cwd', '/proc/1/root', '/proc/1/cwd', '/proc/thread-self/root'],
      ...['/shared/link-fd', '/shared/link-root', '/shared/link-cwd'],
    ];
    for (const workdir of places) {
      const error = await box.exec(['pwd'], { workdir }).catch((reason: unknown) => reason);
      expect(error, workdir).toBeInstanceOf(TsboxError);
      expect(error, workdir).toMatchObject({ code: 'BAD_WORKDIR' });
    }
    // The way to say it is right all the same.
    const program = await box.exec(['pwd'], { workdir: '/shared/../etc' });
    expect(await text(program.stdout as Readable)).toBe('/etc\n');
  });
});
