import { spawn } from 'node:child_process';
import { closeSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Errno, openPidfd, pipe, reap, waitHangUp, waitReadable } from '../../../src/kernel/index.ts';
import {
  AGAIN,
  cloneStep,
  failureError,
  leftOpen,
  profileOf,
  runPlan,
  Slot,
  type Step,
  type Struct,
} from '../../../src/launch/index.ts';

// Plans that are really carried out, with calls that need no privilege.

const CWD = -100;
const [O_WRONLY, O_CREAT, O_CLOEXEC] = [1, 0o100, 0o2000000];
let directory: string;

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'tsbox-run-'));
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

const call = (name: Step['call'], args: Step['args'], more: Partial<Step> = {}): Step => ({
  stage: 'Test',
  call: name,
  args,
  why: `try ${name}`,
  ...more,
});
const mkdir = (name: string, more: Partial<Step> = {}) =>
  call('mkdirat', [CWD, join(directory, name), 0o755], more);
const exists = (name: string) => readdirSync(directory).includes(name);
const openDescriptors = () => readdirSync('/proc/self/fd').length;

describe('in this thread', () => {
  test('one step uses what another has opened', () => {
    const file = join(directory, 'written');
    const fd = new Slot('fd');
    const before = openDescriptors();
    const arena = runPlan({
      steps: [
        call('openat', [CWD, file, O_WRONLY | O_CREAT | O_CLOEXEC, 0o600], { save: fd }),
        call('write', [fd, 'héllo', Buffer.byteLength('héllo')]),
        call('close', [fd]),
      ],
    });
    expect(arena.failure()).toBeUndefined();
    expect(readFileSync(file, 'utf8')).toBe('héllo');
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(arena.slot(fd)).toBeGreaterThan(2);
    expect(openDescriptors()).toBe(before);
  });

  test('a struct is completed with a descriptor that is known only now', () => {
    const [fd, ready] = [new Slot('fd'), new Slot('ready')];
    // struct pollfd with an event that is always there: POLLOUT on /dev/null.
    const bytes = Buffer.alloc(8);
    bytes.writeInt16LE(4, 4);
    const poll: Struct = { bytes, text: '', slots: [{ offset: 0, slot: fd, width: 4 }] };
    const arena = runPlan({
      steps: [
        call('openat', [CWD, '/dev/null', O_WRONLY | O_CLOEXEC, 0], { save: fd }),
        call('ppoll', [poll, 1, { bytes: Buffer.alloc(16), text: '' }, null, 8], { save: ready }),
      ],
    });
    expect(arena.failure()).toBeUndefined();
    // The width of four left the events, which follow, as they were.
    expect(arena.slot(ready)).toBe(1);
    closeSync(arena.slot(fd));
  });

  test('a tolerated errno leaves out steps, and so does success', () => {
    const tolerate = [Errno.EEXIST];
    const first = runPlan({
      steps: [mkdir('a', { tolerate, skipOnError: 1, skipOnSuccess: 2 }), mkdir('b'), mkdir('c'), mkdir('d')],
    });
    expect(first.failure()).toBeUndefined();
    expect(['a', 'b', 'c', 'd'].map(exists)).toEqual([true, false, false, true]);
    const second = runPlan({ steps: [mkdir('a', { tolerate, skipOnError: 1 }), mkdir('b'), mkdir('c')] });
    expect(second.failure()).toBeUndefined();
    expect(['b', 'c'].map(exists)).toEqual([false, true]);
    expect(second.outcomes().map(({ errno }) => errno)).toEqual([Errno.EEXIST, 0]);
  });

  test('AGAIN carries a step out until the kernel takes it', () => {
    const { read, write } = pipe();
    const [F_SETFL, O_NONBLOCK] = [4, 0o4000];
    const count = new Slot('count');
    spawn('sh', ['-c', 'sleep 0.05; printf x'], { stdio: ['ignore', write, 'inherit'] });
    const buffer = { bytes: Buffer.alloc(8), text: 'buffer' };
    const arena = runPlan({
      steps: [
        call('fcntl', [read, F_SETFL, O_NONBLOCK]),
        call('read', [read, buffer, 8], { save: count, tolerate: [Errno.EAGAIN], skipOnError: AGAIN }),
        mkdir('again'),
      ],
    });
    expect(arena.slot(count)).toBe(1);
    expect(arena.outcomes().map(({ errno }) => errno)).toEqual([0, 0, 0]);
    expect(exists('again')).toBe(true);
    closeSync(read);
    closeSync(write);
  });

  test('each of four errnos is tolerated, and no other', () => {
    const tolerate = [Errno.ENOTDIR, Errno.EACCES, Errno.ELOOP, Errno.EEXIST];
    expect(runPlan({ steps: [mkdir('.', { tolerate })] }).failure()).toBeUndefined();
    expect(runPlan({ steps: [mkdir('no/where', { tolerate })] }).failure()?.errno).toBe(Errno.ENOENT);
  });

  test('a failure ends it, and is told with the step, its reason and its path', () => {
    const failing = mkdir('none/none');
    const arena = runPlan({ steps: [mkdir('e'), failing, mkdir('f')] });
    const failure = arena.failure();
    expect(failure).toEqual({ step: failing, errno: 2 });
    expect(['e', 'f'].map(exists)).toEqual([true, false]);
    const error = failureError(failure as NonNullable<typeof failure>);
    expect(error.message).toBe(
      `try mkdirat: mkdirat \`${directory}/none/none\`: No such file or directory (ENOENT)`,
    );
    expect({ ...error }).toMatchObject({ code: 'ENOENT', syscall: 'mkdirat', errno: -2, exitCode: 125 });
  });

  test('what a failed plan has left open is known', () => {
    const [kept, closed, never] = [new Slot('kept'), new Slot('closed'), new Slot('never')];
    const open = (save: Slot) => call('openat', [CWD, '/', O_CLOEXEC, 0], { save });
    const plan = { steps: [open(kept), open(closed), call('close', [closed]), mkdir('n/n'), open(never)] };
    const before = openDescriptors();
    const arena = runPlan(plan);
    expect(leftOpen(plan, arena)).toEqual([kept]);
    closeSync(arena.slot(kept));
    expect(openDescriptors()).toBe(before);
  });

  test.each([0, 7, 10, 4194304, 2 ** 53 - 1])('decimal writes %i as text', (value) => {
    const file = join(directory, `decimal${value}`);
    const [fd, digits] = [new Slot('fd'), { bytes: Buffer.alloc(24, 'x'), text: 'digits' }];
    runPlan({
      steps: [
        call('decimal', [digits, value]),
        call('openat', [CWD, file, O_WRONLY | O_CREAT | O_CLOEXEC, 0o600], { save: fd }),
        call('write', [fd, digits, 24]),
        call('close', [fd]),
      ],
    });
    const text = readFileSync(file, 'latin1');
    expect(text.slice(0, text.indexOf('\0'))).toBe(String(value));
  });

  test('a plan that is timed gives times that increase, on the clock of process.hrtime', () => {
    const before = process.hrtime.bigint();
    const arena = runPlan(
      { steps: [call('getpid', []), call('getppid', []), mkdir('n/n')] },
      { timed: true },
    );
    const after = process.hrtime.bigint();
    const times = profileOf(arena).flatMap(({ began, ended }) => [began, ended]);
    expect(times).toHaveLength(6);
    const all = [before, ...times, after];
    expect(all).toEqual([...all].sort((a, b) => (a < b ? -1 : 1)));
    expect(profileOf(runPlan({ steps: [call('getpid', [])] }))[0]?.began).toBe(0n);
  });
});

/** A plan that clones a process, which shares our memory until it execs, and what became of it. */
async function cloned(child: Step[], ready: { read: number; write: number }) {
  const [pid, pidfd] = [new Slot('pid'), new Slot('pidfd')];
  const flags = ['CLONE_VM', 'CLONE_PIDFD', 'CLONE_CLEAR_SIGHAND'] as const;
  const clone = cloneStep({
    stage: 'Test',
    why: 'a process',
    flags: [...flags],
    exitSignal: 17,
    pid,
    pidfd,
    child,
  });
  const arena = runPlan({ steps: [clone, call('close', [ready.write])] }, { timed: true });
  await waitHangUp(ready.read);
  closeSync(ready.read);
  const failure = arena.failure();
  await waitReadable(arena.slot(pidfd));
  const death = reap(arena.slot(pidfd));
  closeSync(arena.slot(pidfd));
  return { arena, failure, death, pid: arena.slot(pid) };
}
const exec = (path: string, args: string[], more: Partial<Step> = {}) =>
  call('execve', [path, { strings: args }, { strings: ['A=1'] }], more);

describe('in a clone', () => {
  test('execs, closes the pipe by that, and is reaped', async () => {
    const before = openDescriptors();
    const { failure, death, pid, arena } = await cloned([exec('/bin/true', ['true'])], pipe());
    expect(failure).toBeUndefined();
    expect(death).toEqual({ code: 0 });
    expect(pid).toBeGreaterThan(1);
    // exec did not come back, so it has no end.
    expect(profileOf(arena).map(({ call, began, ended }) => [call, ended > began])).toContainEqual([
      'execve',
      false,
    ]);
    expect(openDescriptors()).toBeLessThanOrEqual(before + 2); // those of the poller, once
  });

  test('the program gets its arguments and environment', async () => {
    const file = join(directory, 'output');
    const script = 'echo "$0 $1 $A" >"$2"';
    const { death } = await cloned([exec('/bin/sh', ['sh', '-c', script, 'zero', 'ö n e', file])], pipe());
    expect(death).toEqual({ code: 0 });
    expect(readFileSync(file, 'utf8')).toBe('zero ö n e 1\n');
  });

  test('tries one place after the other, and says which was the last', async () => {
    const places = ['/nowhere/true', join(directory, 'true'), '/bin/true'];
    writeFileSync(join(directory, 'true'), '', { mode: 0o600 });
    const tolerate = [Errno.ENOENT, Errno.EACCES];
    const found = await cloned(
      places.map((path) => exec(path, ['true'], { tolerate })),
      pipe(),
    );
    expect(found.death).toEqual({ code: 0 });
    const last = exec('/also/nowhere', ['true']);
    const missing = await cloned([exec('/nowhere', ['true'], { tolerate }), last], pipe());
    expect(missing.failure).toEqual({ step: last, errno: Errno.ENOENT });
    expect(missing.death).toEqual({ code: 125 });
  });

  test('a failure there is seen here', async () => {
    const failing = call('chdir', ['/nowhere']);
    const { failure, death, arena } = await cloned(
      [call('setsid', []), failing, exec('/bin/true', [])],
      pipe(),
    );
    expect(failure).toEqual({ step: failing, errno: Errno.ENOENT });
    expect(death).toEqual({ code: 125 });
    expect(arena.outcomes().map(({ step }) => step.call)).toEqual(['clone3', 'close', 'setsid', 'chdir']);
  });

  test('a seccomp filter that refuses exit and exit_group does not keep it from ending', async () => {
    // struct sock_filter: load the number; equal to any of the two: EPERM; else allow.
    const instruction = (code: number, jt: number, jf: number, k: number) => {
      const bytes = Buffer.alloc(8);
      bytes.writeUInt16LE(code, 0);
      bytes[2] = jt;
      bytes[3] = jf;
      bytes.writeUInt32LE(k, 4);
      return bytes;
    };
    const [exit, exitGroup] = process.arch === 'arm64' ? [93, 94] : [60, 231];
    const filter = Buffer.concat([
      instruction(0x20, 0, 0, 0),
      instruction(0x15, 1, 0, exit as number),
      instruction(0x15, 0, 1, exitGroup as number),
      instruction(0x06, 0, 0, 0x00050001),
      instruction(0x06, 0, 0, 0x7fff0000),
    ]);
    const header = Buffer.alloc(16);
    header.writeUInt16LE(5, 0);
    const program: Struct = {
      bytes: header,
      text: '',
      pointers: [{ offset: 8, to: { bytes: filter, text: '' } }],
    };
    const { failure, death } = await cloned(
      // Not dumpable first, or it would leave a core file of our memory; and until Linux 5.16 take us along.
      [
        call('prctl', [4, 0]),
        call('prctl', [38, 1, 0, 0, 0]),
        call('seccomp', [1, 0, program]),
        exec('/nowhere', []),
      ],
      pipe(),
    );
    expect(failure?.errno).toBe(Errno.ENOENT);
    expect(death === undefined || 'signal' in death).toBe(true);
  });

  test('fifty at a time leave no descriptor and no zombie', async () => {
    await cloned([exec('/bin/true', ['true'])], pipe());
    const before = openDescriptors();
    const all = await Promise.all(
      Array.from({ length: 50 }, (_, n) => cloned([exec('/bin/sh', ['sh', '-c', `exit ${n}`])], pipe())),
    );
    expect(all.map(({ death }) => death)).toEqual(all.map((_, n) => ({ code: n })));
    expect(openDescriptors()).toBe(before);
    for (const { pid } of all) expect(() => openPidfd(pid)).toThrow('No such process');
  }, 30_000);
});
