import { describe, expect, test } from 'vitest';
import { allSteps, layOut, type Step } from '../../../src/launch/index.ts';
import { planEntry } from '../../../src/runtime/entry-plan.ts';
import type { ExecInput } from '../../../src/runtime/exec-input.ts';
import { planHelper } from '../../../src/runtime/helper-plan.ts';
import { compileSeccomp } from '../../../src/runtime/seccomp/index.ts';
import type { Spec } from '../../../src/runtime/spec.ts';
import { mapped, sampleSpec, textOf } from './sample.ts';

function input(change: (input: ExecInput) => void = () => {}, spec: Spec = sampleSpec()): ExecInput {
  const made: ExecInput = {
    id: 'f'.repeat(64),
    spec,
    process: spec.process,
    cgroup: '/sys/fs/cgroup/tsbox/x',
    stdio: { stdin: 20, stdout: 21, stderr: 22 },
  };
  change(made);
  return made;
}

/** What runs outside of the PID namespace, and what runs inside. */
function parts(given: ExecInput): { outside: string[]; inside: string[] } {
  const { steps } = planEntry(given);
  const inside = (steps.at(-1) as Step).child as Step[];
  return { outside: steps.map(textOf), inside: inside.map(textOf) };
}

const everything = compileSeccomp({ defaultAction: 'SCMP_ACT_ALLOW' });
const noClone = compileSeccomp({
  defaultAction: 'SCMP_ACT_ALLOW',
  syscalls: [{ names: ['clone'], action: 'SCMP_ACT_ERRNO', errnoRet: 1 }],
});

describe('the program that enters', () => {
  test('only the namespaces of the container that are not the host’s, joined ones too', () => {
    expect(parts(input()).outside).toContain(
      'setns(4, CLONE_NEWNS|CLONE_NEWPID|CLONE_NEWUTS|CLONE_NEWIPC|CLONE_NEWNET|CLONE_NEWCGROUP)',
    );
    const shared = sampleSpec((spec) => {
      spec.linux.namespaces = [
        { type: 'mount' },
        { type: 'network', path: '/proc/1/ns/net' },
        { type: 'time' },
      ];
    });
    expect(parts(input(() => {}, shared)).outside).toContain(
      'setns(4, CLONE_NEWNS|CLONE_NEWNET|CLONE_NEWTIME)',
    );
    const own = parts(input(() => {}, sampleSpec(mapped))).outside;
    const entered = own.findIndex((line) => line.startsWith('setns(') && line.includes('CLONE_NEWUSER'));
    expect(own.slice(entered + 1, entered + 4)).toEqual([
      'setgroups(0, NULL)',
      'setresgid(0, 0, 0)',
      'setresuid(0, 0, 0)',
    ]);
  });

  test('CVE-2016-9962: what can be seen has given up its powers already, and only executes', () => {
    const { outside, inside } = parts(
      input((given) => {
        given.seccomp = everything;
      }),
    );
    expect(inside.map((line) => line.split('(')[0])).toEqual([
      'prctl',
      'write',
      'setsid',
      ...['execve', 'execve'],
    ]);
    const order = [
      'setns(',
      'prctl(PR_SET_DUMPABLE, 0)',
      'PR_CAPBSET_DROP',
      'setresuid',
      'seccomp(',
      'capset(',
    ];
    const places = order.map((part) => outside.findIndex((line) => line.includes(part)));
    expect(places).toEqual([...places].sort((a, b) => a - b));
    expect(places).not.toContain(-1);
    expect(outside.at(-1)).toBe('pid = clone(CLONE_PARENT|SIGCHLD)');
  });

  test('under a filter that lets nobody clone, the clone gives them up itself', () => {
    const { outside, inside } = parts(
      input((given) => {
        given.seccomp = noClone;
      }),
    );
    expect(outside.some((line) => line.startsWith('seccomp('))).toBe(false);
    const filter = inside.findIndex((line) => line.startsWith('seccomp('));
    const exec = inside.findIndex((line) => line.startsWith('execve('));
    expect(filter).toBeGreaterThan(0);
    expect(exec).toBe(inside.length - 2);
    expect(filter).toBeLessThan(exec);
  });

  test('CVE-2024-21626: no descriptor of the host is open when the directory is entered, through no magic link', () => {
    const { outside } = parts(input());
    const closed = outside.indexOf('close_range(6, ~0, 0)');
    const opened = outside.findIndex((line) => line.includes('RESOLVE_NO_MAGICLINKS'));
    expect(outside.indexOf('close_range(3, 4, 0)')).toBeGreaterThan(0);
    expect(closed).toBeGreaterThan(0);
    expect(closed).toBeLessThan(opened);
    expect(outside[opened + 2]).toBe('close(working_directory)');
  });

  test('a terminal of the container’s devpts, controlled from inside', () => {
    const { outside, inside } = parts(
      input((given) => {
        given.stdio = { terminalSocket: 30, size: { columns: 80, rows: 24 } };
      }),
    );
    const entered = outside.findIndex((line) => line.startsWith('setns('));
    expect(outside.findIndex((line) => line.includes('/dev/pts/ptmx'))).toBeGreaterThan(entered);
    expect(outside).toContain('sendmsg(6, {SCM_RIGHTS, [pty_master]}, 0)');
    expect(outside.some((line) => line.includes('/dev/console'))).toBe(false);
    expect(inside).toContain('ioctl(0, TIOCSCTTY, 0)');
  });

  test('files of the host’s /proc are written before the container is entered', () => {
    const spec = sampleSpec((each) => {
      each.process.oomScoreAdj = 300;
      each.process.apparmorProfile = 'docker-default';
    });
    const { outside } = parts(input(() => {}, spec));
    const entered = outside.findIndex((line) => line.startsWith('setns('));
    for (const path of ['/proc/self/oom_score_adj', '/proc/thread-self/attr/apparmor/exec'])
      expect(outside.findIndex((line) => line.includes(path))).toBeLessThan(entered);
  });

  test('one that outlives tsbox does not die with it', () => {
    const detached = parts(
      input((given) => {
        given.detached = true;
      }),
    );
    expect([...detached.outside, ...detached.inside].join('\n')).not.toContain('PDEATHSIG');
    expect(detached.outside.at(-1)).toBe('pid = clone(SIGCHLD)');
  });

  test('it fits into memory at another address', () => {
    const arena = layOut(planEntry(input()), { base: 0x1000000000 });
    expect(arena.bytes.length).toBeGreaterThan(arena.outcomeLength);
    const high = new Uint32Array(arena.bytes.buffer);
    // Addresses of 0x10_0000_0000 and up: the pointers of the strings.
    expect([...high].filter((word) => word === 0x10).length).toBeGreaterThan(10);
  });
});

describe('the helper', () => {
  const helping = { container: 9, enter: 10, plan: 4, ready: 12, outcomeLength: 4096 };
  const lines = (change?: (given: ExecInput) => void) =>
    allSteps(planHelper({ ...input(change), ...helping })).map(textOf);

  test('in the container’s cgroup; what shares our memory is waited for', () => {
    const clone = lines().find((line) => line.includes('clone3'));
    for (const flag of ['CLONE_VM', 'CLONE_VFORK', 'CLONE_PIDFD', 'CLONE_INTO_CGROUP'])
      expect(clone).toContain(flag);
    expect(clone).not.toContain('CLONE_NEW');
  });

  test('descriptors go where enter.c looks for them, none over one that is still needed', () => {
    const all = lines();
    expect(all.indexOf('plan = fcntl(4, F_DUPFD_CLOEXEC, 64)')).toBeLessThan(all.indexOf('dup3(9, 4, 0)'));
    expect(all).toContain('dup3(20, 0, 0)');
    expect(all).toContain('dup3(plan, 3, 0)');
    expect(all).toContain('dup3(12, 5, 0)');
    expect(all.indexOf('close_range(6, ~0, CLOSE_RANGE_CLOEXEC)')).toBe(all.length - 3);
    expect(all.at(-2)).toBe('execveat(10, , [tsbox-enter 4096], [], AT_EMPTY_PATH)');
  });

  test('a detached one is nobody’s child here', () => {
    const all = lines((given) => {
      given.detached = true;
    });
    expect(all.filter((line) => line.includes('clone3'))).toHaveLength(2);
    expect(all).toContain('setsid()');
    expect(all).toContain('execveat(10, , [tsbox-enter 4096 wait], [], AT_EMPTY_PATH)');
  });
});
