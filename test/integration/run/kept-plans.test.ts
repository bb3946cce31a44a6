import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { expectNothingLeft, makePlace } from '../../fixtures/leftovers.ts';
import { CLI, tsbox } from '../../fixtures/tsbox.ts';
import { describeRoot } from '../support/tsbox.ts';

describeRoot('plans that are kept on disk', () => {
  const place = makePlace();
  const plans = join(place.root, 'cache', 'plans');
  const scratch = mkdtempSync(join(tmpdir(), 'tsbox-kept-'));
  const run = (...args: string[]) => tsbox(place, ['run', '--rm', ...args]);

  beforeAll(() => {
    // Imports the embedded image.
    run('busybox', 'true');
    rmSync(plans, { recursive: true, force: true });
  });
  afterEach(async () => {
    await expectNothingLeft(place);
    rmSync(plans, { recursive: true, force: true });
  });
  afterAll(() => {
    place.remove();
    rmSync(scratch, { recursive: true, force: true });
  });

  /** By name: the sizes and the inodes. An empty file says that the command line was there once. */
  function kept(): { name: string; size: number; ino: number }[] {
    if (!existsSync(plans)) return [];
    return readdirSync(plans).map((name) => ({ name, ...sizeOf(join(plans, name)) }));
  }

  function sizeOf(path: string) {
    const { size, ino } = statSync(path);
    return { size, ino };
  }

  /** Until its plan is there. */
  function keep(...args: string[]): { name: string; size: number; ino: number } {
    run(...args);
    run(...args);
    const [plan] = kept();
    if (plan === undefined || plan.size === 0) throw new Error(`not kept: ${args.join(' ')}`);
    return plan;
  }

  test.each([
    ['in the default network', [], 'again-network.cjs'],
    ['in none', ['--network', 'none'], 'again.cjs'],
  ])('the second time; the third time it is all that is needed: %s', (_, network, bundle) => {
    run(...network, 'busybox', 'echo', 'hello');
    expect(kept().map(({ size }) => size)).toEqual([0]);
    run(...network, 'busybox', 'echo', 'hello');
    const [plan] = kept();
    expect(plan?.size).toBeGreaterThan(10_000);
    expect(statSync(plans).mode & 0o7777).toBe(0o700);
    expect(statSync(join(plans, plan?.name as string)).mode & 0o7777).toBe(0o600);
    // An installation whose rest is broken.
    const elsewhere = mkdtempSync(join(scratch, 'installation-'));
    const dist = join(elsewhere, 'dist');
    mkdirSync(dist);
    for (const name of ['tsbox.cjs', bundle, 'native']) {
      cpSync(join(dirname(CLI), name), join(dist, name), { recursive: true });
    }
    for (const name of ['package.json', 'node_modules'])
      symlinkSync(join(dirname(CLI), '..', name), join(elsewhere, name));
    writeFileSync(join(dist, 'cli.cjs'), "throw new Error('not to be loaded')");
    const again = (...args: string[]) =>
      spawnSync(process.execPath, [join(dist, 'tsbox.cjs'), 'run', '--rm', ...args], {
        env: place.environment,
        input: '',
        encoding: 'utf8',
      });
    expect(again(...network, 'busybox', 'echo', 'hello')).toMatchObject({
      status: 0,
      stdout: 'hello\n',
      stderr: '',
    });
    expect(again(...network, 'busybox', 'echo', 'other').stderr).toContain('not to be loaded');
    expect(kept()).toEqual([plan]);
  });

  test.each([
    ['exit 0', 'true'],
    ['exit 3', 'exit 3'],
    ['exit 126', '/etc/passwd'],
    ['exit 127', 'no-such-program'],
    ['a signal', 'kill -9 $$'],
    ['both streams', 'echo out; echo err >&2; exit 4'],
    [
      'where it is',
      'pwd; id; ls /dev; ulimit -n; cat /proc/self/status | grep -E "Cap|Sec"; mount | grep -v overlay',
    ],
  ])('does what it did: %s', (_, script) => {
    const args = ['busybox', 'sh', '-c', script];
    const first = run(...args);
    expect(run(...args)).toEqual(first);
    const before = kept();
    expect(before.map(({ size }) => size > 0)).toEqual([true]);
    expect(run(...args)).toEqual(first);
    expect(kept()).toEqual(before);
  });

  test('each container has an id of its own, everywhere', () => {
    const args = ['busybox', 'sh', '-c', 'hostname; cat /etc/hostname; echo $HOSTNAME'];
    keep(...args);
    const outputs = [1, 2].map(() => run(...args).stdout.split('\n'));
    for (const [name, file, variable] of outputs) {
      expect(name).toMatch(/^[0-9a-f]{12}$/);
      expect([file, variable]).toEqual([name, name]);
    }
    expect(outputs[0]?.[0]).not.toBe(outputs[1]?.[0]);
  });

  test('stdin is passed on, and signals are', async () => {
    const script =
      'trap "echo got it; exit 7" TERM; read line; echo "$line"; test "$line" = end && exit; echo up; while :; do sleep 0.1; done';
    const args = ['run', '--rm', '-i', 'busybox', 'sh', '-c', script];
    for (let time = 0; time < 2; time++)
      expect(tsbox(place, args, 'end\n')).toMatchObject({ status: 0, stdout: 'end\n' });
    const before = kept();
    expect(before.map(({ size }) => size > 0)).toEqual([true]);
    const child = spawn(process.execPath, [CLI, ...args], { env: place.environment });
    let output = '';
    child.stdin.write('go\n');
    for await (const chunk of child.stdout) {
      output += chunk;
      if (output.endsWith('up\n')) child.kill('SIGTERM');
    }
    if (child.exitCode === null) await once(child, 'exit');
    expect([output, child.exitCode]).toEqual(['go\nup\ngot it\n', 7]);
    expect(kept()).toEqual(before);
  });

  test('a kill -9 leaves nothing', { timeout: 120_000 }, async () => {
    const args = ['run', '--rm', '-i', 'busybox', 'sh', '-c', 'read line && exit; sleep 1000 & sleep 1000'];
    for (let time = 0; time < 2; time++) tsbox(place, args, 'end\n');
    const before = kept();
    expect(before.map(({ size }) => size > 0)).toEqual([true]);
    for (let time = 0; time < 30; time++) {
      const child = spawn(process.execPath, [CLI, ...args], { env: place.environment });
      if (time % 2 === 0) child.stdin.end();
      await new Promise((resolve) => setTimeout(resolve, Math.random() * 250));
      child.kill('SIGKILL');
      await once(child, 'close');
    }
    expect(kept()).toEqual(before);
  });

  describe('is not used, and forgotten, when', () => {
    /** A stale plan is removed, and the run notes that it was there once. */
    const expectForgotten = (name: string) => expect(kept()).toMatchObject([{ name, size: 0 }]);
    /** The same command line behind a shell's script, in mount and user settings of its own. */
    const runBehind = (script: string, ...args: string[]) =>
      spawnSync(
        'unshare',
        ['-m', 'sh', '-ec', `${script}\nexec "$@"`, 'sh', process.execPath, CLI, 'run', '--rm', ...args],
        { env: place.environment, input: '', encoding: 'utf8' },
      );

    test('(the same behind a shell is used)', () => {
      const plan = keep('busybox', 'true');
      expect(runBehind('', 'busybox', 'true')).toMatchObject({ status: 0, stderr: '' });
      expect(kept()).toEqual([plan]);
    });

    test('the image is another', () => {
      const plan = keep('busybox', 'true');
      tsbox(place, ['tag', 'busybox', 'other']);
      expect(run('busybox', 'true').status).toBe(0);
      expectForgotten(plan.name);
      tsbox(place, ['rmi', 'other']);
    });

    test('the host has another resolv.conf', () => {
      const args = ['busybox', 'cat', '/etc/resolv.conf'];
      const plan = keep(...args);
      const file = join(scratch, 'resolv.conf');
      writeFileSync(file, 'nameserver 192.0.2.7\n');
      const { stdout } = runBehind(`mount --bind ${file} /etc/resolv.conf`, ...args);
      expect(stdout).toContain('192.0.2.7');
      expectForgotten(plan.name);
    });

    test.each([
      ['a limit of its own', 'ulimit -n 777', 'ulimit -Hn', '777\n'],
      [
        'fewer capabilities',
        'exec setpriv --bounding-set=-net_raw --inh-caps=-net_raw "$@"',
        'grep -c 00000000a80405fb /proc/self/status',
        '1\n',
      ],
    ])('tsbox has %s', (_, script, command, expected) => {
      const args = ['busybox', 'sh', '-c', command];
      const plan = keep(...args);
      const fresh = runBehind(`export TSBOX_KEEP_PLANS=0; ${script}`, ...args);
      const { stdout } = runBehind(script, ...args);
      expect(stdout).toBe(fresh.stdout);
      if (expected === '777\n') expect(stdout).toBe(expected);
      expectForgotten(plan.name);
    });

    test.each([
      [
        'damaged',
        (file: string) => {
          const bytes = readFileSync(file);
          bytes.writeUInt8(bytes.readUInt8(5000) ^ 1, 5000);
          writeFileSync(file, bytes);
        },
      ],
      [
        'of another command line',
        (file: string) => {
          run('busybox', 'echo', 'wrong');
          run('busybox', 'echo', 'wrong');
          const other = kept().find(({ name }) => !file.endsWith(name));
          renameSync(join(plans, other?.name as string), file);
        },
      ],
      ['readable for others', (file: string) => spawnSync('chmod', ['644', file])],
      ["somebody else's", (file: string) => spawnSync('chown', ['12345', file])],
    ])('it is %s', (_, spoil) => {
      const plan = keep('busybox', 'echo', 'right');
      spoil(join(plans, plan.name));
      expect(run('busybox', 'echo', 'right')).toMatchObject({ status: 0, stdout: 'right\n', stderr: '' });
      expectForgotten(plan.name);
    });

    test('its start fails: then the error is the usual one', () => {
      const plan = keep('busybox', 'true');
      const layers = join(place.root, 'layers');
      const programs = readdirSync(layers).map((layer) => join(layers, layer, 'diff/bin/busybox'));
      const file = programs.find((path) => existsSync(path)) as string;
      renameSync(file, `${file}.gone`);
      try {
        const { status, stdout, stderr } = run('busybox', 'true');
        expect([status, stdout]).toEqual([127, '']);
        expect(stderr).toMatch(/^tsbox: .*true/);
        // A failed start is not noted.
        expect(kept().filter(({ name }) => name === plan.name)).toEqual([]);
      } finally {
        renameSync(`${file}.gone`, file);
      }
    });
  });

  test.each([
    ['with a variable', ['-e', 'TOKEN=secret', 'busybox', 'true']],
    ['with a volume', ['-v', '/usr:/mnt:ro', 'busybox', 'true']],
    ['with a name', ['--name', 'own', 'busybox', 'true']],
    ['with a profile', ['--profile', 'busybox', 'true']],
    ['where the plan is only shown', ['--explain', 'busybox', 'true']],
    ['where the program is not there', ['busybox', 'no-such-program']],
  ])('nothing is kept %s', (_, args) => {
    for (let time = 0; time < 3; time++) run(...args);
    expect(kept()).toEqual([]);
  });

  test('nothing is kept of a container that is kept, nor where it is switched off', () => {
    tsbox(place, ['run', '--name', 'stays', 'busybox', 'true']);
    tsbox(place, ['rm', 'stays']);
    const off = { ...place, environment: { ...place.environment, TSBOX_KEEP_PLANS: '0' } };
    for (let time = 0; time < 3; time++) tsbox(off, ['run', '--rm', 'busybox', 'true']);
    expect(kept()).toEqual([]);
  });
});
