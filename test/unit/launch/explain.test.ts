import { describe, expect, test } from 'vitest';
import {
  cloneStep,
  flags,
  formatPlan,
  formatProfile,
  named,
  octal,
  type Plan,
  type ProfileEntry,
  planToJson,
  Slot,
} from '../../../src/launch/index.ts';

const O = { O_RDONLY: 0, O_DIRECTORY: 65536, O_CLOEXEC: 524288 };

function smallPlan(): Plan {
  const [root, pid, pidfd] = [new Slot('root'), new Slot('pid'), new Slot('pidfd')];
  return {
    steps: [
      {
        stage: 'Look',
        call: 'openat',
        args: [named('AT_FDCWD', -100), '/', flags(O, 'O_RDONLY', 'O_DIRECTORY', 'O_CLOEXEC'), octal(0o755)],
        why: 'the root',
        save: root,
        tolerate: [2],
      },
      cloneStep({
        stage: 'Isolate',
        why: 'a process',
        flags: ['CLONE_VM', 'CLONE_PIDFD'],
        exitSignal: 17,
        pid,
        pidfd,
        child: [
          { stage: 'Become', call: 'fchdir', args: [root], why: 'stand there' },
          {
            stage: 'Become',
            call: 'execve',
            args: ['/bin/a b', { strings: ['a', 'say "hi"'] }, { strings: [] }],
            why: 'become the program',
          },
        ],
      }),
      { stage: 'Look', call: 'waitid', args: [3, { slotAddress: pidfd }, null, 2n ** 60n], why: 'its end' },
    ],
  };
}

test('a plan for a person', () => {
  expect(formatPlan(smallPlan())).toBe(`Look
1. openat(AT_FDCWD, "/", O_RDONLY|O_DIRECTORY|O_CLOEXEC, 0755) = root
     the root (may fail)

Isolate
2. clone3({flags=CLONE_VM|CLONE_PIDFD, stack_size=16384, exit_signal=SIGCHLD, pidfd=&pidfd}, 88) = pid
     a process

Become
3. fchdir(root)
     stand there
4. execve("/bin/a b", ["a", "say \\"hi\\""], [])
     become the program

Look
5. waitid(3, &pidfd, NULL, 1152921504606846976)
     its end
`);
});

test('a plan for a program', () => {
  const clone = '{flags=CLONE_VM|CLONE_PIDFD, stack_size=16384, exit_signal=SIGCHLD, pidfd=&pidfd}';
  expect(JSON.parse(JSON.stringify(planToJson(smallPlan())))).toEqual({
    steps: [
      {
        number: 1,
        stage: 'Look',
        call: 'openat',
        arguments: [
          { value: -100, text: 'AT_FDCWD' },
          '/',
          { value: 589824, text: 'O_RDONLY|O_DIRECTORY|O_CLOEXEC' },
          { value: 493, text: '0755' },
        ],
        result: 'root',
        tolerated: [2],
        why: 'the root',
      },
      {
        number: 2,
        stage: 'Isolate',
        call: 'clone3',
        arguments: [{ struct: clone }, 88],
        result: 'pid',
        why: 'a process',
      },
      { number: 3, stage: 'Become', call: 'fchdir', arguments: [{ fd: 'root' }], why: 'stand there' },
      {
        number: 4,
        stage: 'Become',
        call: 'execve',
        arguments: ['/bin/a b', ['a', 'say "hi"'], []],
        why: 'become the program',
      },
      {
        number: 5,
        stage: 'Look',
        call: 'waitid',
        arguments: [3, { address: 'pidfd' }, null, '1152921504606846976'],
        why: 'its end',
      },
    ],
  });
});

const hostile = 'a\u001b[2J\u0007\r\n\u009b31m\u007fb\u202egnp.exe';

describe('a hostile name', () => {
  const plan: Plan = {
    steps: [
      {
        stage: 'Look',
        call: 'openat',
        args: [hostile, { strings: [hostile] }, named(hostile, 1), { bytes: Buffer.alloc(1), text: hostile }],
        why: `a view of ${hostile}`,
      },
    ],
  };

  test('cannot draw on the terminal of who reads the plan, nor turn its text round (CVE-2021-42574)', () => {
    const text = formatPlan(plan);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: that is what it is about
    expect(text).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e]/);
    expect(text.split('\n')).toHaveLength(4);
    expect(text).toContain('openat("a\\u001b[2J\\u0007\\r\\n\\u009b31m\\u007fb\\u202egnp.exe", [');
    expect(text).toContain('a view of a\\u001b[2J\\u0007\\u000d\\u000a\\u009b31m');
  });

  test('nor of who reads the profile', () => {
    const entry = { stage: 'Look', call: 'openat', why: hostile, began: 0n, ended: 10n };
    // biome-ignore lint/suspicious/noControlCharactersInRegex: that is what it is about
    expect(formatProfile([entry])).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e]/);
  });
});

describe('a profile', () => {
  const entry = (stage: string, call: string, began: number, ended: number): ProfileEntry => ({
    stage,
    call,
    why: `why ${call}, in more words than there is room for`,
    began: BigInt(began * 1000),
    ended: BigInt(ended * 1000),
  });

  test('is a chart of bars in proportion to the longest', () => {
    const entries = [
      entry('Isolate', 'clone3', 1000, 2000),
      entry('Attach', 'mkdirat', 2000, 2250),
      entry('Attach', 'move_mount', 2250, 2750),
      entry('Become', 'execve', 3000, 3000),
    ];
    expect(formatProfile(entries, 92)).toBe(`  start ms  took ms  call             why
Isolate (1.00 ms)
     0.000    1.000  clone3           why clone3, in more words than t ████████████████████
Attach (0.75 ms)
     1.000    0.250  mkdirat          why mkdirat, in more words than  █████
     1.250    0.500  move_mount       why move_mount, in more words th ██████████
Become (0.00 ms)
     2.000    0.000  execve           why execve, in more words than t
2.00 ms in all
`);
  });

  test('has room for a bar on the narrowest terminal, and none where nothing took time', () => {
    expect(formatProfile([entry('A', 'clone3', 0, 1)], 20)).toContain(` ${'█'.repeat(10)}\n`);
    expect(formatProfile([entry('A', 'clone3', 5, 5)])).not.toContain('█');
    expect(formatProfile([])).toBe('nothing was timed\n');
  });
});
