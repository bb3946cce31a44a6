import { execFileSync, spawnSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { defaultProfile, resolveProfile } from '../../src/engine/seccomp/index.ts';
import { compileSeccomp } from '../../src/runtime/seccomp/index.ts';
import type { Seccomp } from '../../src/runtime/spec.ts';

/** Installs the filter on its standard input, as it is, then makes the calls that its arguments name and prints each errno. */
const PROGRAM = `
#define _GNU_SOURCE
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>
static struct sock_filter filter[4096];
int main(int argc, char **argv) {
  long size = read(0, filter, sizeof filter);
  struct sock_fprog program = {size / 8, filter};
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)) return 2;
  if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, strtol(argv[1], 0, 0), &program)) { perror("seccomp"); return 3; }
  for (int i = 2; i < argc; i++) {
    long a[7] = {0};
    char *at = argv[i];
    for (int j = 0; j < 7 && *at; j++) { a[j] = strtoul(at, &at, 0); if (*at == ',') at++; }
    errno = 0;
    long result = syscall(a[0], a[1], a[2], a[3], a[4], a[5], a[6]);
    if (a[0] == SYS_clone && result == 0) syscall(SYS_exit, 0);
    printf("%d\\n", result < 0 ? errno : 0);
    fflush(stdout);
  }
}
`;

const EPERM = 1;
const ESRCH = 3;
const ENOSYS = 38;
const arm = process.arch === 'arm64';
const NR = arm
  ? {
      mount: 40,
      ptrace: 117,
      unshare: 97,
      clone: 220,
      socket: 198,
      keyctl: 219,
      bpf: 280,
      getppid: 173,
      chroot: 51,
      personality: 92,
    }
  : {
      mount: 165,
      ptrace: 101,
      unshare: 272,
      clone: 56,
      socket: 41,
      keyctl: 250,
      bpf: 321,
      getppid: 110,
      chroot: 161,
      personality: 135,
    };
const machine = arm ? 'arm64' : 'x64';

let directory: string;
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'tsbox-seccomp-'));
  writeFileSync(join(directory, 'try.c'), PROGRAM);
  execFileSync('cc', ['-O1', '-o', join(directory, 'try'), join(directory, 'try.c')]);
});
afterAll(() => rmSync(directory, { recursive: true }));

function attempt(seccomp: Seccomp, calls: (number | string)[][]) {
  const { filter, flags } = compileSeccomp(seccomp);
  writeFileSync(join(directory, 'filter'), filter);
  const stdin = openSync(join(directory, 'filter'), 'r');
  try {
    const { stdout, stderr, signal } = spawnSync(
      join(directory, 'try'),
      [String(flags), ...calls.map((call) => call.join(','))],
      { stdio: [stdin, 'pipe', 'pipe'], encoding: 'utf8' },
    );
    expect(stderr).toBe('');
    return { errnos: stdout.trim().split('\n').filter(Boolean).map(Number), signal };
  } finally {
    closeSync(stdin);
  }
}

const docker = (capabilities: string[]) =>
  resolveProfile(defaultProfile(), { capabilities, arch: machine, kernelRelease: '6.1' });

test("the kernel takes Docker's default filter and answers as Docker's containers do", () => {
  const asked: [string, (number | string)[], number][] = [
    ['getppid', [NR.getppid], 0],
    ['mount', [NR.mount], EPERM],
    // ESRCH is ptrace's own: the call arrived. Being traced would stop the program at its next signal.
    ['ptrace(PTRACE_ATTACH, 0)', [NR.ptrace, 16, 0], ESRCH],
    ['unshare(CLONE_NEWUSER)', [NR.unshare, '0x10000000'], EPERM],
    ['clone(CLONE_NEWUSER)', [NR.clone, '0x10000011'], EPERM],
    ['clone(CLONE_NEWPID)', [NR.clone, '0x20000011'], EPERM],
    ['clone(SIGCHLD)', [NR.clone, '0x11'], 0],
    ['clone3', [435, 0, 0], ENOSYS],
    ['socket(AF_UNIX, SOCK_STREAM)', [NR.socket, 1, 1], 0],
    ['socket(AF_ALG, SOCK_SEQPACKET)', [NR.socket, 38, 5], EPERM],
    ['socket(AF_VSOCK, SOCK_STREAM)', [NR.socket, 40, 1], EPERM],
    ['keyctl', [NR.keyctl], EPERM],
    ['bpf', [NR.bpf], EPERM],
    ['io_uring_setup', [425], EPERM],
    ['personality(0xffffffff)', [NR.personality, '0xffffffff'], 0],
    ['personality(ADDR_NO_RANDOMIZE)', [NR.personality, '0x40000'], EPERM],
    ['a call that no kernel has yet', [2000], ENOSYS],
  ];
  const { errnos } = attempt(
    docker(['CAP_SYS_CHROOT']),
    asked.map(([, call]) => call),
  );
  expect(asked.map(([name], index) => [name, errnos[index]])).toEqual(
    asked.map(([name, , errno]) => [name, errno]),
  );
});

test('capabilities open what they stand for', () => {
  const calls = [
    [NR.unshare, 0],
    [NR.chroot, 0],
  ];
  // EFAULT is chroot's own: the call arrived.
  expect(attempt(docker(['CAP_SYS_CHROOT']), calls).errnos).toEqual([EPERM, 14]);
  expect(attempt(docker(['CAP_SYS_ADMIN']), calls).errnos).toEqual([0, EPERM]);
});

test.each([
  ['SCMP_ACT_KILL_PROCESS', 'SIGSYS'],
  ['SCMP_ACT_KILL', 'SIGSYS'],
  ['SCMP_ACT_TRAP', 'SIGSYS'],
])('%s ends in %s', (action, expected) => {
  const syscalls = [{ names: ['getppid'], action }];
  expect(attempt({ defaultAction: 'SCMP_ACT_ALLOW', syscalls }, [[NR.getppid]]).signal).toBe(expected);
});

test('flags and long filters are taken', () => {
  const syscalls = Array.from({ length: 250 }, (_, turn) => ({
    names: ['keyctl'],
    action: 'SCMP_ACT_ERRNO',
    errnoRet: turn + 2,
    args: [
      { index: 0, op: 'SCMP_CMP_EQ', value: turn },
      { index: 1, op: 'SCMP_CMP_MASKED_EQ', value: 0xff, valueTwo: turn },
    ],
  }));
  const flags = ['SECCOMP_FILTER_FLAG_LOG', 'SECCOMP_FILTER_FLAG_SPEC_ALLOW'];
  const calls = [0, 100, 249].map((turn) => [NR.keyctl, turn, turn + 0x100]);
  expect(attempt({ defaultAction: 'SCMP_ACT_ALLOW', syscalls, flags }, calls).errnos).toEqual([2, 102, 251]);
});
