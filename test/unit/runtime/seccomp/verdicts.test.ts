import { describe, expect, test } from 'vitest';
import { defaultProfile, resolveProfile } from '../../../../src/engine/seccomp/index.ts';
import { compileSeccomp } from '../../../../src/runtime/seccomp/index.ts';
import type { Seccomp, SeccompRule } from '../../../../src/runtime/spec.ts';
import { runFilter, type SeccompData } from '../../../fixtures/bpf.ts';
import { type Libseccomp, libseccomp } from '../../../fixtures/libseccomp.ts';
import { Random } from '../../../fixtures/random.ts';
import { calls } from '../../../fixtures/seccomp-calls.ts';

const peer = libseccomp() as Libseccomp;
const why = peer === undefined ? ' (skipped: libseccomp.so.2 is not installed)' : '';

const KILL = 0;
const ALLOW = 0x7fff0000;
const EPERM = 0x50001;
const ENOSYS = 0x50026;
const X86_64 = 0xc000003e;
const X32 = 0x40000000;
/** Each machine's own architectures, and one that it cannot run. */
/** Each is tried with 20,000 calls, so a few are seconds; TSBOX_TEST_PROFILES=40 for more. */
const PROFILES = Number(process.env.TSBOX_TEST_PROFILES ?? 4);

const TRIED = { x64: [X86_64, 0x40000003, 0xc00000b7], arm64: [0xc00000b7, 0x40000028, X86_64] };

describe.skipIf(peer === undefined).each(['x64', 'arm64'] as const)(
  `the verdicts of libseccomp on %s${why}`,
  (arch) => {
    test.each([
      ['the default capabilities', ['CAP_SYS_CHROOT']],
      ['no capability', []],
      ['CAP_SYS_ADMIN', ['CAP_SYS_CHROOT', 'CAP_SYS_ADMIN']],
      ['CAP_SYS_PTRACE and CAP_BPF', ['CAP_SYS_PTRACE', 'CAP_BPF']],
    ])("for Docker's default profile with %s", (_title, capabilities) => {
      const profile = resolveProfile(defaultProfile(), {
        capabilities,
        arch,
        kernelRelease: '6.1.0-18-amd64',
      });
      const theirs = peer.filter(profile, arch);
      const admin = capabilities.includes('CAP_SYS_ADMIN');
      compare(profile, arch, (data) => {
        const { verdict } = runFilter(theirs, data);
        return verdict === KILL ? KILL : (newerThanLibseccomp(data, admin) ?? verdict);
      });
    });

    test.each(Array.from({ length: PROFILES }, (_, seed) => seed))('for random profile %i', (seed) => {
      const profile = randomProfile(new Random(seed), arch);
      const theirs = peer.filter(profile, arch);
      const newer = stub(profile, arch);
      compare(profile, arch, (data) => (newer(data) ? ENOSYS : runFilter(theirs, data).verdict));
    });
  },
);

function compare(profile: Seccomp, arch: 'x64' | 'arm64', expected: (data: SeccompData) => number): void {
  const { filter } = compileSeccomp(profile, arch);
  const differences: string[] = [];
  let tried = 0;
  for (const data of calls(profile, TRIED[arch])) {
    tried++;
    const [ours, theirs] = [runFilter(filter, data).verdict, expected(data)];
    if (ours === theirs) continue;
    const args = data.args.map((argument) => argument.toString(16));
    differences.push(
      `call ${data.nr} on 0x${data.arch.toString(16)} (${args}): 0x${ours.toString(16)}, not 0x${theirs.toString(16)}`,
    );
  }
  expect(differences.slice(0, 5)).toEqual([]);
  expect(tried).toBeGreaterThan(20_000);
}

/** What Docker's profile says of the calls that libseccomp 2.5.4 has never heard of, and, as runc does, of those beyond the profile. */
function newerThanLibseccomp({ nr, arch }: SeccompData, admin: boolean): number | undefined {
  const x32 = arch === X86_64 && nr >= X32;
  const number = x32 ? nr - X32 : nr;
  if (arch === X86_64 && nr === 335) return ALLOW;
  // x32's own numbers.
  if (x32 && number >= 512 && number <= 547) return undefined;
  if (x32 && number === 453) return EPERM;
  if ([451, 452, 453, 454, 455, 456, 457, 458, 462, 463, 464, 465, 466].includes(number)) return ALLOW;
  if ([459, 460, 461].includes(number)) return admin ? ALLOW : EPERM;
  if (arch === 0x40000028 && number >= 0xf0000) return undefined;
  return number > (x32 ? 547 : 466) ? ENOSYS : undefined;
}

/** runc's stub: on each of the profile's architectures, is the call newer than all that the profile names? */
function stub(profile: Seccomp, arch: 'x64' | 'arm64'): (data: SeccompData) => boolean {
  if (['SCMP_ACT_ALLOW', 'SCMP_ACT_LOG', 'SCMP_ACT_TRACE'].includes(profile.defaultAction))
    return () => false;
  const names = (profile.syscalls ?? []).flatMap((rule) => rule.names);
  const largest = (token: number) =>
    Math.max(
      ...names
        .map((name) => peer.resolve(token, name))
        .filter((number) => number < X32 + 0xf0000 && (number < 0xf0000 || number >= X32)),
    );
  const named = new Set(profile.architectures);
  const machine: Record<number, string> = {
    3221225534: 'SCMP_ARCH_X86_64',
    1073741827: 'SCMP_ARCH_X86',
    3221225655: 'SCMP_ARCH_AARCH64',
    1073741864: 'SCMP_ARCH_ARM',
  };
  const last = new Map(
    TRIED[arch]
      .slice(0, 2)
      .filter((token, index) => index === 0 || named.has(machine[token] as string))
      .map((token) => [token, largest(token)]),
  );
  const lastX32 = arch === 'x64' && named.has('SCMP_ARCH_X32') ? largest(0x4000003e) : undefined;
  return ({ nr, arch: token }) => {
    if (token === X86_64 && nr >= X32) return lastX32 !== undefined && nr > lastX32;
    // ARM's private calls are listed or not, but not newer.
    return nr > (last.get(token) ?? Number.POSITIVE_INFINITY) && !(token === 0x40000028 && nr >= 0xf0000);
  };
}

const NAMES =
  `read write open close socket bind accept sendmmsg semop semget semtimedop shmat msgctl clone personality ioctl chown32
  cacheflush set_tls arm_fadvise64_64 rt_sigaction execve mount umount umount2 ptrace futex futex_time64 stat64 
  getpid pread64 _llseek waitid recvmsg keyctl unshare setns bpf`.split(/\s+/);
const ACTIONS = [
  'SCMP_ACT_KILL',
  'SCMP_ACT_KILL_PROCESS',
  'SCMP_ACT_TRAP',
  'SCMP_ACT_ERRNO',
  'SCMP_ACT_TRACE',
  'SCMP_ACT_LOG',
  'SCMP_ACT_ALLOW',
];
const OPERATORS = [
  'SCMP_CMP_NE',
  'SCMP_CMP_LT',
  'SCMP_CMP_LE',
  'SCMP_CMP_EQ',
  'SCMP_CMP_GE',
  'SCMP_CMP_GT',
  'SCMP_CMP_MASKED_EQ',
];

/**
 * One rule a call, one condition an argument: where several rules with conditions meet, libseccomp 2.5.4 shares comparisons between them
 * and answers some calls wrongly (semantics.test.ts has such), and where they disagree it makes no promise.
 */
function randomProfile(random: Random, arch: 'x64' | 'arm64'): Seccomp {
  const architectures = {
    x64: ['SCMP_ARCH_X86_64', 'SCMP_ARCH_X86', 'SCMP_ARCH_X32'],
    arm64: ['SCMP_ARCH_AARCH64', 'SCMP_ARCH_ARM'],
  }[arch];
  const action = () => {
    const name = random.pick(ACTIONS);
    return {
      action: name,
      ...(['SCMP_ACT_ERRNO', 'SCMP_ACT_TRACE'].includes(name) && random.below(2) === 0
        ? { errnoRet: random.below(200) }
        : {}),
    };
  };
  const left = [...NAMES];
  const next = () => left.splice(random.below(left.length), 1);
  const syscalls = Array.from({ length: 5 + random.below(30) }, (): SeccompRule => {
    const indexes = [0, 1, 2, 3, 4, 5].filter(() => random.below(3) === 0);
    if (indexes.length === 0) return { names: [...next(), 'nonexistent'], ...action() };
    return {
      names: next(),
      ...action(),
      args: indexes.map((index) => ({ index, ...randomComparison(random) })),
    };
  });
  const fallback = action();
  return {
    defaultAction: fallback.action,
    defaultErrnoRet: fallback.errnoRet,
    architectures: architectures.filter((_, index) => index === 0 || random.below(3) > 0),
    // So that every architecture has a largest number.
    syscalls: [...syscalls, { names: ['openat2', 'clone3'], action: 'SCMP_ACT_LOG' }],
  };
}

function randomComparison(random: Random) {
  const value = () =>
    random.pick([
      0n,
      1n,
      40n,
      0xffffffffn,
      0x100000000n,
      2n ** 63n,
      2n ** 64n - 1n,
      BigInt(random.below(100)),
      random.u64(),
    ]);
  const op = random.pick(OPERATORS);
  const mask = value();
  return op === 'SCMP_CMP_MASKED_EQ' ? { op, value: mask, valueTwo: mask & value() } : { op, value: value() };
}
