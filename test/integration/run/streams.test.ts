import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { expect, test } from 'vitest';
import { leavesNothing } from '../support/leftovers.ts';
import { cli, describeRoot, environment, field, image, run, scratch, sleep } from '../support/tsbox.ts';

const MIB = 1024 * 1024;

/** As many bytes as asked for, every one of the 256 values among them, no two megabytes the same. */
function* bytes(megabytes: number): Generator<Buffer> {
  const noise = randomBytes(MIB);
  for (let n = 0; n < megabytes; n++) {
    const chunk = Buffer.from(noise);
    chunk.writeUInt32LE(n, 0);
    yield chunk;
  }
}

/** In MiB: the most memory that a process has had so far. */
function peak(pid: number | undefined): number {
  return Number.parseInt(field(readFileSync(`/proc/${pid}/status`, 'utf8'), 'VmHWM') ?? '', 10) / 1024;
}

describeRoot('streams', () => {
  leavesNothing();
  const directory = scratch();
  const start = (
    flags: string[],
    command: string[],
    stdio: ('pipe' | 'ignore' | number)[] = ['pipe', 'pipe', 'pipe'],
  ) => spawn(cli, ['run', '--rm', ...flags, image, ...command], { stdio, env: environment() });

  test('standard output and error are two', () => {
    expect(run([], ['sh', '-c', 'echo out; echo err >&2'])).toEqual({
      status: 0,
      stdout: 'out\n',
      stderr: 'err\n',
    });
  });

  test('without -i there is no input', () => {
    expect(run([], ['cat'], { input: 'lost' })).toEqual({ status: 0, stdout: '', stderr: '' });
    expect(run(['-i'], ['cat'], { input: 'kept' })).toEqual({ status: 0, stdout: 'kept', stderr: '' });
  });

  test('-a chooses', () => {
    expect(run(['-a', 'stdout'], ['sh', '-c', 'echo out; echo err >&2'])).toEqual({
      status: 0,
      stdout: 'out\n',
      stderr: '',
    });
    expect(run(['-a', 'stderr'], ['sh', '-c', 'echo out; echo err >&2'])).toEqual({
      status: 0,
      stdout: '',
      stderr: 'err\n',
    });
  });

  test('1 GiB in and out, through sockets that tsbox copies: the same bytes, and no more memory', async () => {
    const child = start(['-i'], ['cat']);
    const [sent, received] = [createHash('sha256'), createHash('sha256')];
    let highest = 0;
    let early = 0;
    async function* measured() {
      let count = 0;
      for (const chunk of bytes(1024)) {
        sent.update(chunk);
        yield chunk;
        if (++count === 128) early = peak(child.pid);
        if (count % 64 === 0) highest = peak(child.pid);
      }
    }
    const { stdin, stdout } = child;
    if (!stdin || !stdout) throw new Error('no pipes');
    await Promise.all([pipeline(Readable.from(measured()), stdin), pipeline(stdout, received)]);
    expect(await once(child, 'close')).toEqual([0, null]);
    expect(received.digest('hex')).toBe(sent.digest('hex'));
    expect(early).toBeGreaterThan(20);
    expect(highest - early).toBeLessThan(32);
  });

  test('through pipes of a shell, which the program gets itself', () => {
    const script =
      'head -c 200000000 /dev/urandom > "$2"; cat "$2" | "$0" run --rm -i "$1" cat | cmp - "$2" && echo same';
    const file = join(directory, 'random');
    const { stdout, stderr } = spawnSync('sh', ['-c', script, cli, image, file], {
      env: environment(),
      encoding: 'utf8',
    });
    expect({ stdout, stderr }).toEqual({ stdout: 'same\n', stderr: '' });
  });

  test('from a file and to a file', async () => {
    const [from, to] = [join(directory, 'from'), join(directory, 'to')];
    writeFileSync(from, Buffer.concat([...bytes(100), Buffer.from('end')]));
    const files = [openSync(from, 'r'), openSync(to, 'w')];
    const child = start(['-i'], ['cat'], [...files, 'ignore']);
    for (const file of files) closeSync(file);
    expect(await once(child, 'close')).toEqual([0, null]);
    expect(statSync(to).size).toBe(100 * MIB + 3);
    expect(readFileSync(to).equals(readFileSync(from))).toBe(true);
  });

  test('a reader that waits makes the program wait', async () => {
    const child = start([], ['sh', '-c', 'dd if=/dev/zero bs=1M count=100 2>/dev/null; echo done >&2']);
    let told = '';
    child.stderr?.on('data', (chunk) => {
      told += chunk;
    });
    await once(child.stdout as Readable, 'readable');
    await sleep(1000);
    expect(told).toBe('');
    expect(peak(child.pid)).toBeLessThan(150);
    let count = 0;
    for await (const chunk of child.stdout as Readable) count += chunk.length;
    expect(count).toBe(100 * MIB);
  });

  test('a reader that goes away ends the program, through pipes and through sockets', async () => {
    const script = '("$0" run --rm --init "$1" yes; echo $? >&2) | head -n 1';
    const shell = spawnSync('sh', ['-c', script, cli, image], {
      env: environment(),
      encoding: 'utf8',
      timeout: 20_000,
    });
    expect(shell).toMatchObject({ stdout: 'y\n', stderr: '141\n' });
    const child = start(['--init'], ['yes']);
    await once(child.stdout as Readable, 'data');
    child.stdout?.destroy();
    expect(await once(child, 'close')).toEqual([141, null]);
  });

  test('a program that does not read its input ends all the same', async () => {
    const child = start(['-i'], ['true']);
    child.stdin?.on('error', () => {});
    const write = setInterval(() => child.stdin?.write(Buffer.alloc(MIB)), 20);
    expect(await once(child, 'exit')).toEqual([0, null]);
    clearInterval(write);
    child.stdin?.destroy();
  });

  test('nor does an open input keep tsbox', async () => {
    const child = start(['-i'], ['sh', '-c', 'echo said']);
    expect(await once(child, 'exit')).toEqual([0, null]);
    child.stdin?.destroy();
  });

  test('what is written last is not lost', () => {
    for (let n = 0; n < 5; n++) {
      const { stdout } = run([], ['sh', '-c', 'head -c 500000 /dev/zero; echo last']);
      expect(stdout.length).toBe(500_005);
      expect(stdout.endsWith('last\n')).toBe(true);
    }
  });

  test('a disk that is full is said', async () => {
    const full = openSync('/dev/full', 'w');
    const said = text(start([], ['echo', 'x'], ['ignore', full, 'pipe']));
    closeSync(full);
    expect(await said).toEqual([
      125,
      expect.stringMatching(/^tsbox: cannot write to standard output: ENOSPC/),
    ]);
  });

  test('so is an input that cannot be read', async () => {
    const input = openSync('/proc/self/mem', 'r');
    const said = text(start(['-i'], ['cat'], [input, 'ignore', 'pipe']));
    closeSync(input);
    expect(await said).toEqual([125, expect.stringMatching(/^tsbox: cannot read from standard input: EIO/)]);
  });
});

/** The exit code, and all of standard error. */
async function text(child: ChildProcess): Promise<[number, string]> {
  let said = '';
  child.stderr?.on('data', (chunk) => {
    said += chunk;
  });
  const [status] = await once(child, 'close');
  return [status, said];
}
