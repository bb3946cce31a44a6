import { execFileSync, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdirSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { leavesNothing } from '../support/leftovers.ts';
import {
  cli,
  describeRoot,
  environment,
  eventually,
  image,
  scratch,
  sleep,
  store,
  tsbox,
} from '../support/tsbox.ts';
import { failed, removesAll, said } from './support.ts';

/** Counts and hashes what a command writes, and its lines. */
async function digest(command: string, args: string[]): Promise<{ lines: number; hash: string }> {
  const child = spawn(command, args, { env: environment(), stdio: ['ignore', 'pipe', 'inherit'] });
  const hash = createHash('sha256');
  let lines = 0;
  for await (const chunk of child.stdout as AsyncIterable<Buffer>) {
    hash.update(chunk);
    for (let at = chunk.indexOf(10); at >= 0; at = chunk.indexOf(10, at + 1)) lines++;
  }
  return { lines, hash: hash.digest('hex') };
}

describeRoot('logs', () => {
  leavesNothing();
  removesAll();
  const mountPoint = scratch();
  const logOf = (id: string) => join(store, 'containers', id, 'container.log');
  const runs = (name: string, script: string, ...flags: string[]) =>
    said('run', '-d', '--name', name, ...flags, image, 'sh', '-c', script);

  it('each stream goes where it came from, and the last line needs no newline', () => {
    runs('both', 'echo out; echo err >&2; printf "no newline"');
    said('wait', 'both');
    expect(tsbox(['logs', 'both'])).toEqual({ status: 0, stdout: 'out\nno newline', stderr: 'err\n' });
    const { stdout } = tsbox(['logs', '-t', 'both']);
    expect(stdout).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z out\n\S{30} no newline$/);
  });

  it('is in the format of CRI, on disk', () => {
    const id = runs(
      'cri',
      'echo out; sleep 0.2; echo err >&2; sleep 0.2; head -c 20000 /dev/zero | tr "\\0" x; echo',
    );
    said('wait', 'cri');
    const time = '\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d\\.\\d{9}Z';
    const lines = readFileSync(logOf(id), 'latin1').split('\n');
    expect(lines[0]).toMatch(new RegExp(`^${time} stdout F out$`));
    expect(lines[1]).toMatch(new RegExp(`^${time} stderr F err$`));
    expect(lines[2]).toMatch(new RegExp(`^${time} stdout P x{16384}$`));
    expect(lines[3]).toMatch(new RegExp(`^${time} stdout F x{3616}$`));
    expect(said('logs', 'cri').split('\n')[1]).toBe('x'.repeat(20000));
  });

  it('gives the end of it, and times', async () => {
    runs('many', 'seq 100; sleep 1.2; echo late');
    said('wait', 'many');
    expect(said('logs', '-n', '2', 'many')).toBe('100\nlate');
    expect(said('logs', '--tail', '0', 'many')).toBe('');
    expect(said('logs', '--tail', '1000', 'many').split('\n').length).toBe(101);
    const time = said('logs', '-t', '-n', '1', 'many').slice(0, 30);
    expect(said('logs', '--since', time, 'many')).toBe('late');
    expect(
      said('logs', '--until', new Date(Date.parse(time) - 600).toISOString(), 'many').split('\n').length,
    ).toBe(100);
    expect(said('logs', '--since', '1h', 'many').split('\n').length).toBe(101);
    expect(failed(tsbox(['logs', '--since', 'yesterday', 'many'])).status).toBe(125);
  });

  it('follows until the end', async () => {
    runs('slow', 'for i in 1 2 3 4; do echo $i; sleep 0.2; done; printf end');
    expect(said('logs', '-f', 'slow')).toBe('1\n2\n3\n4\nend');
    expect(said('logs', '-f', 'slow')).toBe('1\n2\n3\n4\nend');
  });

  it('follows through rotation without losing a line', async () => {
    const id = runs(
      'rotating',
      'sleep 1; i=0; while [ $i -lt 3000 ]; do echo "line $i"; i=$((i+1)); [ $((i % 50)) = 0 ] && sleep 0.01; done',
      ...['--log-opt', 'max-size=8k', '--log-opt', 'max-file=9'],
    );
    const expected = Array.from({ length: 3000 }, (_, i) => `line ${i}`);
    const followed = said('logs', '-f', 'rotating').split('\n');
    expect(followed).toEqual(expected);
    const files = readdirSync(join(store, 'containers', id)).filter((name) =>
      name.startsWith('container.log'),
    );
    expect(files.sort()).toEqual(
      ['', '.1', '.2', '.3', '.4', '.5', '.6', '.7', '.8'].map((n) => `container.log${n}`),
    );
    for (const name of files)
      expect(statSync(join(store, 'containers', id, name)).size).toBeLessThanOrEqual(8192);
    const kept = said('logs', 'rotating').split('\n');
    expect(kept).toEqual(expected.slice(-kept.length));
    expect(said('logs', '-n', '700', 'rotating').split('\n')).toEqual(expected.slice(-700));
  });

  it('one file is begun anew when it is full', () => {
    const id = runs('one', 'seq 5000', '--log-opt', 'max-size=4k');
    said('wait', 'one');
    expect(statSync(logOf(id)).size).toBeLessThanOrEqual(4096);
    expect(said('logs', '-n', '1', 'one')).toBe('5000');
  });

  it('none, where none is wanted', () => {
    const id = runs('quiet', 'echo x', '--log-driver', 'none');
    said('wait', 'quiet');
    expect(tsbox(['logs', 'quiet']).stdout).toBe('');
    expect(readdirSync(join(store, 'containers', id))).not.toContain('container.log');
    expect(failed(tsbox(['run', '-d', '--log-driver', 'syslog', image, 'true'])).stderr).toMatch(
      /^tsbox: --log-driver "syslog"/,
    );
    expect(failed(tsbox(['run', '-d', '--log-opt', 'size=1', image, 'true'])).stderr).toMatch(
      /max-size and max-file/,
    );
  });

  it('of a container in the foreground is kept too, unless it removes itself', () => {
    const { stdout } = tsbox(['run', '--name', 'fore', image, 'sh', '-c', 'echo out; echo err >&2']);
    expect(stdout).toBe('out\n');
    expect(tsbox(['logs', 'fore'])).toEqual({ status: 0, stdout: 'out\n', stderr: 'err\n' });
  });

  it('a gigabyte comes through whole, line by line', { timeout: 300_000 }, async () => {
    const script =
      'yes "0123456789 the quick brown fox jumps over the lazy dog, again and again" | head -c 1073741824';
    runs('giga', script);
    const logged = await digest(cli, ['logs', '-f', 'giga']);
    expect(said('wait', 'giga')).toBe('0');
    expect(logged).toEqual(await digest('sh', ['-c', script]));
  });

  it('a full disk stops nobody, and what is missing is said', async () => {
    // A store on a small disk of its own, with its containers only.
    mkdirSync(mountPoint, { recursive: true });
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=2m', 'tmpfs', mountPoint]);
    onTestFinished(() => void execFileSync('umount', ['-l', mountPoint]));
    const env = { TSBOX_ROOT: mountPoint };
    mkdirSync(join(mountPoint, 'containers'));
    for (const shared of ['images', 'layers', 'cache']) {
      mkdirSync(join(mountPoint, shared));
      execFileSync('mount', ['--bind', join(store, shared), join(mountPoint, shared)]);
      onTestFinished(() => void execFileSync('umount', ['-l', join(mountPoint, shared)]));
    }
    const script =
      'i=0; while [ $i -lt 40000 ]; do echo "$i 0123456789012345678901234567890123456789012345678901234567890123456789"; i=$((i+1)); done; while [ ! -e /tmp/go ]; do sleep 0.05; done; echo after';
    // Without a network: this store's default one would have a bridge of its own, which stays.
    const flags = ['--network', 'none', '--tmpfs', '/tmp', '--name', 'full'];
    const { stdout, status } = tsbox(['run', '-d', ...flags, image, 'sh', '-c', script], { env });
    expect(status).toBe(0);
    const id = stdout.trim();
    const log = join(mountPoint, 'containers', id, 'container.log');
    await eventually(() => statSync(log).size > 1_000_000, 'a full disk', 30);
    let before = -1;
    for (; statSync(log).size !== before; await sleep(1000)) before = statSync(log).size;
    // Room again.
    execFileSync('mount', ['-o', 'remount,size=8m', mountPoint]);
    expect(tsbox(['exec', 'full', 'touch', '/tmp/go'], { env }).status).toBe(0);
    expect(tsbox(['wait', 'full'], { env }).stdout).toBe('0\n');
    const lines = readFileSync(log, 'latin1').trimEnd().split('\n');
    expect(lines.at(-1)).toMatch(/ stdout F after$/);
    const lost = Number(
      / stderr F tsbox: (\d+) lines of output could not be written to the log$/.exec(lines.at(-2) ?? '')?.[1],
    );
    // Whole lines up to the one that did not fit, and each of the others counted.
    expect(lost).toBe(40000 - (lines.length - 2));
    expect(lines.slice(0, -2).every((line, index) => line.includes(` stdout F ${index} 0123456789`))).toBe(
      true,
    );
    expect(tsbox(['rm', 'full'], { env }).status).toBe(0);
  });

  it('ends when its reader does', async () => {
    runs('endless', 'while :; do echo x; sleep 0.02; done');
    const child = spawn('sh', ['-c', `${cli} logs -f endless | head -n 3`], {
      env: environment(),
      stdio: 'pipe',
    });
    const [status] = await once(child, 'exit');
    expect(status).toBe(0);
  });
});
