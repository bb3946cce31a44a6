import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { leavesNothing } from '../support/leftovers.ts';
import { describeRoot, image, run, store, tsbox } from '../support/tsbox.ts';

interface Explained {
  steps: { number: number; stage: string; call: string; arguments: unknown[]; why: string }[];
}

const FLAGS = [
  '-m',
  '64m',
  '--read-only',
  '--tmpfs',
  '/t',
  '-v',
  '/etc:/host:ro',
  '--cap-drop',
  'ALL',
  '-u',
  'nobody',
  '--init',
];

describeRoot('--explain', () => {
  const plan = (...flags: string[]) => tsbox(['run', ...flags, image, 'echo', 'x']);

  test('prints the system calls, numbered, under their stages, each with its reason', () => {
    const { status, stdout, stderr } = plan('--explain');
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    const blocks = stdout.trimEnd().split('\n\n');
    const stages = blocks.map((block) => block.split('\n')[0]);
    expect(stages).toEqual(
      expect.arrayContaining(['Acquire', 'Pivot', 'Attach', 'Settings', 'Hide', 'Become the program']),
    );
    const numbers = stdout
      .split('\n')
      .flatMap((line) => /^ *(\d+)\. \w+\(/.exec(line)?.[1] ?? [])
      .map(Number);
    expect(numbers.length).toBeGreaterThan(60);
    expect(numbers).toEqual(numbers.map((_, index) => index + 1));
    expect(stdout).toMatch(/\bclone3\(.*CLONE_NEWPID.*\)/);
    expect(stdout).toMatch(/execve\("\/.*\/echo", \["echo", "x"\]/);
    // A call, and indented below it why.
    expect(stdout).toMatch(/\n *\d+\. pivot_root\(.*\)\n +\S.*\n/);
  });

  test('=json is the same for programs', () => {
    const text = plan('--explain')
      .stdout.split('\n')
      .flatMap((line) => /^ *\d+\. (\w+)\(/.exec(line)?.[1] ?? []);
    const { steps }: Explained = JSON.parse(plan('--explain=json').stdout);
    expect(steps.map((step) => step.call)).toEqual(text);
    for (const [index, step] of steps.entries()) {
      expect(step).toEqual(
        expect.objectContaining({
          number: index + 1,
          stage: expect.stringMatching(/./),
          why: expect.stringMatching(/./),
          arguments: expect.any(Array),
        }),
      );
    }
  });

  test('makes nothing', () => {
    const look = () => [...readdirSync(join(store, 'containers')), ...readdirSync(join(store, 'names'))];
    const before = { entries: look(), changed: statSync(join(store, 'containers')).mtimeMs };
    for (const flags of [[], ['--userns', 'auto'], ['-it'], ['--privileged'], FLAGS.slice(2)]) {
      expect(plan('--explain', '--name', 'test-explained', ...flags)).toMatchObject({
        status: 0,
        stderr: '',
      });
    }
    expect({ entries: look(), changed: statSync(join(store, 'containers')).mtimeMs }).toEqual(before);
  });

  test('shows the effect of each option', () => {
    const text = plan(
      '--explain',
      ...FLAGS.slice(2),
      '--sysctl',
      'net.core.somaxconn=99',
      '-h',
      'box',
    ).stdout;
    for (const part of [
      '"/t"',
      '"/host"',
      'MOUNT_ATTR_RDONLY',
      'sys/net/core/somaxconn',
      'sethostname("box"',
      'setresuid(65534, 65534, 65534)',
      '"/dev/init"',
      'PR_CAPBSET_DROP',
    ]) {
      expect(text).toContain(part);
    }
  });

  test('refuses what run refuses, and needs the image', () => {
    expect(tsbox(['run', '--explain', 'no-such-image', 'true'])).toMatchObject({ status: 125, stdout: '' });
    expect(plan('--explain', '--cap-add', 'NOTHING')).toMatchObject({ status: 125, stdout: '' });
    expect(plan('--explain=yaml').stderr).toMatch(/the formats are text and json/);
  });

  test('control characters in names do not reach the terminal', () => {
    const { stdout } = tsbox([
      'run',
      '--explain',
      '-e',
      'X=\x1b]0;owned\x07',
      image,
      'echo',
      '\x1b[2J\u009b',
    ]);
    expect(stdout).toContain('\\u001b[2J\\u009b');
    // biome-ignore lint/suspicious/noControlCharactersInRegex: that is what is looked for
    expect(stdout).not.toMatch(/[\x00-\x09\x0b-\x1f\x7f-\x9f]/);
  });
});

describeRoot('--profile', () => {
  leavesNothing();

  test('runs, and then says where the time went', () => {
    const { status, stdout, stderr } = run(['--profile'], ['sh', '-c', 'echo x; exit 4']);
    expect({ status, stdout }).toEqual({ status: 4, stdout: 'x\n' });
    const lines = stderr.trimEnd().split('\n');
    expect(lines[0]).toMatch(/^ +start ms +took ms +call +why$/);
    for (const stage of ['Node starts', 'tsbox starts', 'Acquire', 'Pivot', 'Attach', 'Become the program']) {
      expect(stderr).toMatch(new RegExp(`^${stage} \\(\\d+\\.\\d\\d ms\\)$`, 'm'));
    }
    expect(stderr).toMatch(/^ +\d+\.\d{3} +\d+\.\d{3} +clone3 .*$/m);
    expect(stderr).toContain('█');
    expect(lines.at(-1)).toMatch(/^\d+\.\d\d ms in all$/);
  });
});
