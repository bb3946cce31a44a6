import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { bundleStart } from '../../../scripts/build/start.mjs';

const DIGEST = '0123456789abcdef';
const starter = await bundleStart('tsbox', DIGEST);
const cacheName = `cli-${DIGEST}-${process.version}-${process.arch}.cache`;
let dist: string;
let store: string;

beforeEach(() => {
  const directory = mkdtempSync(join(tmpdir(), 'tsbox-start-'));
  dist = join(directory, 'dist');
  store = join(directory, 'store');
  mkdirSync(dist);
  writeFileSync(join(dist, 'tsbox.cjs'), starter, { mode: 0o755 });
  const functions = Array.from(
    { length: 200 },
    (_, n) => `function f${n}(x) { return [x, ${n}, 'text ${n}']; } f${n}();`,
  );
  writeFileSync(
    join(dist, 'cli.cjs'),
    `${functions.join('\n')}
    const { basename } = require('node:path');
    process.stdout.write('bundle ' + basename(__filename) + ' ' + process.argv.slice(2).join(' '));
    process.exit(Number(process.argv[3] ?? 0));`,
  );
});
afterEach(() => rmSync(join(dist, '..'), { recursive: true, force: true }));

function tsbox(...args: string[]) {
  const env = { ...process.env, TSBOX_ROOT: store };
  const { status, stdout, stderr } = spawnSync(process.execPath, [join(dist, 'tsbox.cjs'), ...args], {
    encoding: 'utf8',
    env,
  });
  return { status, stdout, stderr };
}
const caches = (directory: string) => (existsSync(directory) ? readdirSync(directory) : []);
const cacheFile = () => join(dist, 'cache', cacheName);

test('runs the bundle, with its arguments and exit status', () => {
  expect(tsbox('ps', '3')).toEqual({ status: 3, stdout: 'bundle cli.cjs ps 3', stderr: '' });
});

test('loads the second file for the first, and caches that too', () => {
  writeFileSync(join(dist, 'cli.cjs'), "require('./more.cjs')('from', 'more.cjs');");
  writeFileSync(
    join(dist, 'more.cjs'),
    "const { basename } = require('node:path'); module.exports = (...words) => console.log(basename(__filename), ...words);",
  );
  for (let run = 0; run < 2; run++) {
    expect(tsbox('images')).toEqual({ status: 0, stdout: 'more.cjs from more.cjs\n', stderr: '' });
    expect(caches(join(dist, 'cache'))).toEqual([cacheName.replace('cli-', 'more-')]);
  }
});

test('Node does not take a flag of tsbox for its own', () => {
  const file = join(store, '..', 'env');
  writeFileSync(join(store, '..', 'hook.cjs'), 'process.stdout.write("hooked ")');
  writeFileSync(file, `NODE_OPTIONS=--require=${join(store, '..', 'hook.cjs')}\n`);
  const command = (...args: string[]) =>
    spawnSync(join(dist, 'tsbox.cjs'), args, {
      encoding: 'utf8',
      env: { ...process.env, TSBOX_ROOT: store },
    });
  expect(command('run', '0', '--env-file', file).stdout).toBe(`bundle cli.cjs run 0 --env-file ${file}`);
  expect(command('run', '0', '--env-file=/not/there')).toMatchObject({
    stdout: 'bundle cli.cjs run 0 --env-file=/not/there',
    stderr: '',
  });
});

describe('the code cache', () => {
  test('is left by a run that worked, and by nothing else', () => {
    tsbox('--version');
    tsbox('run', '125');
    tsbox('run', '0', '--help');
    expect(caches(join(dist, 'cache'))).toEqual([]);
    tsbox('run', '124');
    expect(caches(join(dist, 'cache'))).toEqual([cacheName]);
  });

  test.each([
    ['-exec', ['exec', '0', 'box', 'true']],
    ['-ps', ['ps', '0', '-a']],
    ['-run-d', ['run', '0', '-d', 'box']],
    ['-run-d', ['run', '0', '-itd', 'box']],
    ['-run-d', ['run', '0', '--detach', 'box']],
    ['', ['run', '0', '-it', '--dns', 'box', 'id']],
  ])('of its own (%s): %j', (kind, args) => {
    tsbox(...args, '--help');
    expect(caches(join(dist, 'cache'))).toEqual([]);
    tsbox(...args);
    expect(caches(join(dist, 'cache'))).toEqual([cacheName.replace('cli-', `cli${kind}-`)]);
  });

  test('is used as it is by the next run', () => {
    tsbox('run');
    const before = statSync(cacheFile());
    expect(tsbox('run').stdout).toBe('bundle cli.cjs run');
    // Written anew, it would be another file: it is written aside and renamed.
    expect(statSync(cacheFile()).ino).toBe(before.ino);
  });

  test('replaces the caches of older bundles, not of other versions of Node', () => {
    mkdirSync(join(dist, 'cache'));
    writeFileSync(join(dist, 'cache', `cli-older-${process.version}-${process.arch}.cache`), '');
    writeFileSync(join(dist, 'cache', `cli-older-v1.2.3-${process.arch}.cache`), '');
    tsbox('run');
    expect(caches(join(dist, 'cache')).sort()).toEqual(
      [cacheName, `cli-older-v1.2.3-${process.arch}.cache`].sort(),
    );
  });

  // V8 does not notice: without the comparison of the halves each of these crashes Node.
  test.each([0.1, 0.3, 0.5, 0.7, 0.9])(
    'with a flipped bit at %d of it is harmless, and replaced',
    (where) => {
      tsbox('run');
      const good = readFileSync(cacheFile());
      const bad = Buffer.from(good);
      const at = Math.floor(where * bad.length);
      bad.writeUInt8(bad.readUInt8(at) ^ 0x55, at);
      writeFileSync(cacheFile(), bad);
      expect(tsbox('run')).toEqual({ status: 0, stdout: 'bundle cli.cjs run', stderr: '' });
      const { length } = readFileSync(cacheFile());
      expect(length).toBe(good.length);
      expect(readFileSync(cacheFile()).equals(bad)).toBe(false);
    },
  );

  test.each([
    ['empty', (good: Buffer) => good.subarray(0, 0)],
    ['cut', (good: Buffer) => good.subarray(0, good.length / 2)],
    ['zeros', (good: Buffer) => Buffer.alloc(good.length)],
  ])('that is %s is harmless, and replaced', (_, spoil) => {
    tsbox('run');
    const good = readFileSync(cacheFile());
    writeFileSync(cacheFile(), spoil(good));
    expect(tsbox('run')).toEqual({ status: 0, stdout: 'bundle cli.cjs run', stderr: '' });
    expect(readFileSync(cacheFile()).length).toBe(good.length);
  });

  test.each(['file', 'directory'])('is not used when others can write to its %s', (what) => {
    tsbox('run');
    const before = statSync(cacheFile());
    chmodSync(what === 'file' ? cacheFile() : join(dist, 'cache'), 0o777);
    expect(tsbox('run').stdout).toBe('bundle cli.cjs run');
    // An unsafe directory is not written to either, the store's is.
    if (what === 'file') expect(statSync(cacheFile()).ino).not.toBe(before.ino);
    else expect(caches(join(store, 'cache'))).toEqual([cacheName]);
  });

  test.skipIf(process.getuid?.() !== 0)(
    'is not used when another user owns it (skipped without root, which chown needs)',
    () => {
      tsbox('run');
      const before = statSync(cacheFile());
      chownSync(cacheFile(), 12345, 12345);
      expect(tsbox('run').stdout).toBe('bundle cli.cjs run');
      expect(statSync(cacheFile()).ino).not.toBe(before.ino);
    },
  );

  test('goes into the store where the package cannot be written to', () => {
    writeFileSync(join(dist, 'cache'), 'in the way');
    tsbox('run');
    expect(caches(join(store, 'cache'))).toEqual([cacheName]);
    const before = statSync(join(store, 'cache', cacheName));
    tsbox('run');
    expect(statSync(join(store, 'cache', cacheName)).ino).toBe(before.ino);
  });

  test('is not missed where nothing can be written', () => {
    writeFileSync(join(dist, 'cache'), 'in the way');
    writeFileSync(store, 'in the way');
    expect(tsbox('run')).toEqual({ status: 0, stdout: 'bundle cli.cjs run', stderr: '' });
  });
});

describe.skipIf(process.getuid?.() !== 0)('a kept plan (skipped without root, who alone has any)', () => {
  beforeEach(() => {
    writeFileSync(
      join(dist, 'cli.cjs'),
      "console.log('cli', globalThis[Symbol.for('tsbox.kept')]?.file ?? 'nowhere');",
    );
    for (const name of ['again', 'again-network'])
      writeFileSync(
        join(dist, `${name}.cjs`),
        `exports.again = async (file, key) => {
        console.log('${name}', file);
        return JSON.parse(key)[1][0] === '--stale' ? undefined : 7;
      };
      exports.leave = (code) => process.exit(code);`,
      );
  });

  /** Where the plan of a command line would be. */
  function placeOf(...args: string[]): string {
    const file = /^cli (\S+)\n$/.exec(tsbox(...args).stdout)?.[1] as string;
    expect(dirname(file)).toBe(join(store, 'cache', 'plans'));
    mkdirSync(dirname(file), { recursive: true });
    return file;
  }

  test('is looked for under a name that only this command line has', () => {
    const lines = [['a'], ['b'], ['a', 'b'], ['ab'], ['a,b'], ['--rm', 'a'], ['a', '--rm'], ['ä']];
    expect(new Set(lines.map((line) => placeOf('run', ...line))).size).toBe(lines.length);
    expect(placeOf('run', 'a')).toBe(placeOf('run', 'a'));
  });

  test('is used where there is one', () => {
    const file = placeOf('run', 'a');
    writeFileSync(file, 'plan');
    expect(tsbox('run', 'a')).toEqual({ status: 7, stdout: `again-network ${file}\n`, stderr: '' });
    expect(tsbox('run', 'b').stdout).toMatch(/^cli /);
  });

  test.each([
    [['--network', 'none', 'a'], 'again'],
    [['--network=host', 'a'], 'again'],
    [['--network', 'backend', 'none'], 'again-network'],
  ])('of %j is carried out by %s', (args, name) => {
    const file = placeOf('run', ...args);
    writeFileSync(file, 'plan');
    expect(tsbox('run', ...args).stdout).toBe(`${name} ${file}\n`);
  });

  test('that does not fit is followed by the usual way', () => {
    const file = placeOf('run', '--stale');
    writeFileSync(file, 'plan');
    expect(tsbox('run', '--stale')).toEqual({
      status: 0,
      stdout: `again-network ${file}\ncli ${file}\n`,
      stderr: '',
    });
  });

  test('an empty file is none', () => {
    const file = placeOf('run', 'a');
    writeFileSync(file, '');
    expect(tsbox('run', 'a').stdout).toBe(`cli ${file}\n`);
  });

  test('is not looked for by other commands, for very long command lines, or where that is switched off', () => {
    expect(tsbox('exec', 'a').stdout).toBe('cli nowhere\n');
    expect(tsbox('run', 'a'.repeat(5000)).stdout).toBe('cli nowhere\n');
    writeFileSync(placeOf('run', 'a'), 'plan');
    const { stdout } = spawnSync(process.execPath, [join(dist, 'tsbox.cjs'), 'run', 'a'], {
      encoding: 'utf8',
      env: { ...process.env, TSBOX_ROOT: store, TSBOX_KEEP_PLANS: '0' },
    });
    expect(stdout).toBe('cli nowhere\n');
  });
});
