import { describe, expect, test } from 'vitest';
import { allSteps, formatPlan } from '../../../src/launch/index.ts';
import { type Held, type PlanInput, planContainer } from '../../../src/runtime/index.ts';
import { compileSeccomp } from '../../../src/runtime/seccomp/index.ts';
import { sampleInput, sampleSpec } from './sample.ts';

const hook = (path: string) => [{ path, args: ['hook'], env: ['A=b'], timeout: 2 }];

function held(change: (input: PlanInput, held: Held) => void = () => {}, spec = sampleSpec()): string[] {
  const waiting: Held = {
    gate: 5,
    result: 6,
    state: 7,
    third: 10,
    acknowledge: 8,
    createContainer: hook('/in/the/host'),
    startContainer: hook('/in/the/container'),
    preserve: 0,
  };
  const input = sampleInput((input) => {
    input.ready = 4;
    input.stdio = { stdin: 0, stdout: 1, stderr: 2 };
    input.seccomp = undefined;
    input.held = waiting;
    change(input, waiting);
  }, spec);
  return formatPlan(planContainer(input))
    .split('\n')
    .filter((line) => /^ *\d+\. /.test(line))
    .map((line) => line.replace(/^ *\d+\. /, ''));
}

const at = (lines: readonly string[], part: string) => {
  const index = lines.findIndex((line) => line.includes(part));
  expect(index, part).toBeGreaterThanOrEqual(0);
  return index;
};

describe('a container that waits for its start', () => {
  test('shares no memory with who makes it, and does not die with it', () => {
    const lines = held();
    expect(lines.filter((line) => line.startsWith('clone3')).join()).not.toContain('CLONE_VM');
    expect(lines.join()).not.toContain('PR_SET_PDEATHSIG');
  });

  test('hooks of the host before its root is opened, the others where they are told', () => {
    const lines = held();
    const order = [
      'write(4, "h", 1)',
      'read(8, ',
      'execve("/in/the/host"',
      'pivot_root',
      'faccessat',
      'write(4, "w", 1)',
      'dup3(6, 4, O_CLOEXEC)',
      'read(5, ',
      'execve("/in/the/container"',
      'execve("/bin/sh"',
    ];
    const places = order.map((part) => at(lines, part));
    expect(places).toEqual([...places].sort((a, b) => a - b));
    expect(at(lines, 'execve("/in/the/host"')).toBeLessThan(at(lines, 'fsopen("overlay"'));
    expect(lines).toContain('await(hook, 2000)');
  });

  test('in a bundle, hooks of the container after all that is mounted, and no way back to the host after them', () => {
    const bundle = (input: PlanInput) => {
      input.overlay = undefined;
      input.spec.root.path = '/bundle/rootfs';
    };
    const lines = held(bundle);
    const order = [
      'openat(AT_FDCWD, "/", O_PATH',
      'move_mount(rootfs, "", bundle_rootfs, ""',
      'chroot(".")',
      '"/data"',
      'write(4, "h", 1)',
      'execve("/in/the/host"',
      'pivot_root',
      'close(host)',
      'close(bundle)',
      'write(4, "w", 1)',
    ];
    const places = order.map((part) => at(lines, part));
    expect(places).toEqual([...places].sort((a, b) => a - b));
    // The hook's own, and once more before the pivot.
    expect(lines.filter((line) => line.startsWith('fchdir(host)'))).toHaveLength(2);
    const without = held((input, waiting) => {
      bundle(input);
      waiting.createContainer = [];
      waiting.acknowledge = undefined;
    });
    expect(without.join()).not.toContain('chroot');
  });

  test('its powers are gone while it waits', () => {
    const lines = held();
    expect(at(lines, 'capset(')).toBeLessThan(at(lines, 'read(5, '));
    expect(at(lines, 'setresuid(')).toBeLessThan(at(lines, 'read(5, '));
  });

  test('but the filter, where that would not let it wait', () => {
    const seccomp = compileSeccomp({
      defaultAction: 'SCMP_ACT_ALLOW',
      syscalls: [{ names: ['dup3'], action: 'SCMP_ACT_ERRNO' }],
    });
    const lines = held((input) => {
      input.seccomp = seccomp;
    });
    expect(at(lines, 'seccomp(')).toBeGreaterThan(at(lines, 'read(5, '));
    expect(at(lines, 'seccomp(')).toBeLessThan(at(lines, 'execve("/bin/sh"'));
  });

  test('existing namespaces are all opened before one is entered, and the user namespace last of all', () => {
    const spec = sampleSpec((spec) => {
      spec.linux.namespaces = [
        { type: 'mount' },
        { type: 'network', path: '/proc/7/ns/net' },
        { type: 'pid', path: '/proc/7/ns/pid' },
        { type: 'user', path: '/proc/7/ns/user' },
      ];
    });
    const lines = held(() => {}, spec);
    const entered = lines
      .filter((line) => line.startsWith('setns('))
      .map((line) => /CLONE_\w+/.exec(line)?.[0]);
    expect(entered).toEqual(['CLONE_NEWPID', 'CLONE_NEWNET', 'CLONE_NEWUSER']);
    expect(at(lines, '"/proc/7/ns/net"')).toBeLessThan(at(lines, 'setns('));
    expect(at(lines, 'setns(')).toBeLessThan(at(lines, 'clone3('));
    // Nobody makes what is joined.
    expect(lines.filter((line) => line.startsWith('clone3(')).join()).not.toMatch(/NEWNET|NEWPID|NEWUSER/);
  });

  test('descriptors that the program gets stay, all others close', () => {
    const lines = held((input, waiting) => {
      input.ready = 6;
      Object.assign(waiting, { gate: 7, result: 8, state: 9, acknowledge: 10, third: 12, preserve: 2 });
    });
    expect(lines).toContain('dup3(12, 3, 0)');
    expect(lines).toContain('close_range(5, 5, 0)');
    expect(lines).toContain('close_range(10, ~0, 0)');
    expect(lines).toContain('close_range(6, 9, CLOSE_RANGE_CLOEXEC)');
  });
});

test('one that does not wait is made as ever', () => {
  const calls = allSteps(planContainer(sampleInput())).map(({ call }) => call);
  expect(calls).not.toContain('await');
  expect(calls).not.toContain('faccessat');
});
