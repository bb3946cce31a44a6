import { AT, Errno, fields, O, OPEN_TREE, RLIMIT, TsboxError } from '../kernel/index.ts';
import { flags, named, octal, type Slot, type Struct } from '../launch/index.ts';
import type { ProvidedFile } from './plan-input.ts';
import type { Process, Spec } from './spec.ts';
import type { Stage } from './stage.ts';

/** Names of the container, in its UTS namespace. */
export function setNames(stage: Stage, spec: Spec): void {
  if (spec.hostname !== undefined) {
    stage.call('sethostname', [spec.hostname, Buffer.byteLength(spec.hostname)], 'its own name');
  }
  if (spec.domainname !== undefined) {
    stage.call('setdomainname', [spec.domainname, Buffer.byteLength(spec.domainname)], 'its own NIS domain');
  }
}

/** A new network namespace has a loopback interface that is down. netdevice(7). */
export function raiseLoopback(stage: Stage): void {
  const request = Buffer.alloc(40);
  request.write('lo\0', 0, 'latin1');
  fields(request).setInt16(16, IFF_UP | IFF_RUNNING, true);
  const struct: Struct = { bytes: request, text: '{ifr_name="lo", ifr_flags=IFF_UP|IFF_RUNNING}' };
  const socket = stage.open(
    'net_socket',
    'socket',
    [named('AF_INET', 2), named('SOCK_DGRAM|SOCK_CLOEXEC', 0o2000002), 0],
    'to speak to its network',
  );
  stage.call('ioctl', [socket, named('SIOCSIFFLAGS', 0x8914), struct], '127.0.0.1 answers');
}

/** Writes a file of a detached proc mount: surely procfs, whatever the image has at /proc (CVE-2019-16884, CVE-2025-52881). */
export function writeProc(stage: Stage, proc: Slot, path: string, value: string, why: string): void {
  const fd = stage.open('proc_file', 'openat', [proc, path, flags(O, 'O_WRONLY', 'O_CLOEXEC')], why);
  stage.call('write', [fd, value, Buffer.byteLength(value)], why);
  stage.call('close', [fd], 'done');
}

/** sysctls are files: `net.ipv4.ip_forward` is sys/net/ipv4/ip_forward. A name with slashes is taken as sysctl(8) takes it. */
export function writeSysctls(stage: Stage, proc: Slot, sysctls: Record<string, string>): void {
  for (const [name, value] of Object.entries(sysctls)) {
    const path = name.includes('/') ? name : name.replaceAll('.', '/');
    writeProc(stage, proc, `sys/${path}`, value, `sysctl ${name}`);
  }
}

/** prlimit(2), with 64-bit limits; -1 is RLIM_INFINITY. */
export function setRlimits(stage: Stage, rlimits: Process['rlimits'] = []): void {
  for (const { type, soft, hard } of rlimits) {
    const bytes = Buffer.alloc(16);
    fields(bytes).setBigUint64(0, limitWord(soft), true);
    fields(bytes).setBigUint64(8, limitWord(hard), true);
    const resource = Object.hasOwn(RLIMIT, type) ? RLIMIT[type as keyof typeof RLIMIT] : undefined;
    if (resource === undefined)
      throw new TsboxError('BAD_SPEC', `process.rlimits: there is no limit ${JSON.stringify(type)}`);
    stage.call(
      'prlimit64',
      [0, named(type, resource), { bytes, text: `{rlim_cur=${soft}, rlim_max=${hard}}` }, null],
      `a limit of the program, ${type}`,
    );
  }
}

/** 2^64-1 is RLIM_INFINITY too, and JSON's numbers, which are doubles, round it up to what would be 0. */
function limitWord(limit: number): bigint {
  return limit < 0 || limit >= 2 ** 63 ? 2n ** 64n - 1n : BigInt(Math.trunc(limit));
}

/** A session keyring of its own: the host's keys are not in any namespace. keyctl(2); containers on hosts without keys go on. */
export function newKeyring(stage: Stage, id: string): void {
  stage.call(
    'keyctl',
    [named('KEYCTL_JOIN_SESSION_KEYRING', 1), `_ses.${id}`],
    "the host's keys stay out of reach",
    {
      tolerate: [Errno.ENOSYS, Errno.EDQUOT, Errno.EPERM],
    },
  );
}

/** How soon the kernel kills it for memory, -1000 to 1000. The host's /proc: it is written before the pivot. */
export function setOomScore(stage: Stage, score: number): void {
  writeOwn(stage, 'oom_score_adj', String(score), 'how soon it is killed for memory');
}

/** A clock that starts elsewhere. The program enters the namespace when it execs. time_namespaces(7). */
export function enterTimeNamespace(
  stage: Stage,
  offsets: Record<string, { secs?: number; nanosecs?: number }>,
): void {
  stage.call('unshare', [named('CLONE_NEWTIME', 0x80)], 'clocks of its own, from exec on');
  const lines = Object.entries(offsets).map(
    ([clock, { secs = 0, nanosecs = 0 }]) => `${clock} ${secs} ${nanosecs}\n`,
  );
  if (lines.length > 0)
    writeOwn(stage, 'timens_offsets', lines.join(''), "how far its clocks are off the host's");
}

/** Writes a file of /proc/self before the pivot, where that is the host's. */
function writeOwn(stage: Stage, file: string, value: string, why: string): void {
  const cwd = named('AT_FDCWD', AT.AT_FDCWD);
  const how = flags(O, 'O_WRONLY', 'O_CLOEXEC');
  const fd = stage.open('proc_file', 'openat', [cwd, `/proc/self/${file}`, how], why);
  stage.call('write', [fd, value, Buffer.byteLength(value)], `${file}: ${why}`);
  stage.call('close', [fd], 'done');
}

/**
 * Writes the files that tsbox provides (/etc/hosts and the like) to a file system of their own: in memory and in no place of the
 * host, so there is nothing to clean up, and writable even where the root is not. Each is then a mount by itself.
 */
export function writeFiles(
  stage: Stage,
  fileSystem: Slot,
  files: readonly ProvidedFile[],
): { fd: Slot; path: string }[] {
  return files.map(({ path, content, mode }) => {
    const name = path.slice(path.lastIndexOf('/') + 1);
    const fd = stage.open(
      'file',
      'openat',
      [fileSystem, name, flags(O, 'O_WRONLY', 'O_CREAT', 'O_CLOEXEC'), octal(mode)],
      path,
    );
    const bytes = Buffer.from(content);
    const text = JSON.stringify(content.length > 40 ? `${content.slice(0, 40)}…` : content);
    stage.call('write', [fd, { bytes, text }, bytes.length], 'its content');
    stage.call('close', [fd], 'done');
    return {
      path,
      fd: stage.open(
        name.replace(/\W/g, '_'),
        'open_tree',
        [fileSystem, name, flags(OPEN_TREE, 'OPEN_TREE_CLONE', 'OPEN_TREE_CLOEXEC')],
        `as a mount for ${path}`,
      ),
    };
  });
}

/** The profile that takes effect at exec. Through /proc of the container, which was mounted by this plan and not by the image. */
export function setAppArmor(stage: Stage, profile: string): void {
  const path = '/proc/thread-self/attr/apparmor/exec';
  const fd = stage.open(
    'apparmor',
    'openat',
    [named('AT_FDCWD', AT.AT_FDCWD), path, flags(O, 'O_WRONLY', 'O_CLOEXEC')],
    'AppArmor',
  );
  stage.call('write', [fd, `exec ${profile}`, Buffer.byteLength(profile) + 5], 'the profile of the program');
  stage.call('close', [fd], 'done');
}

/** The action for signals that Node ignores, which a program would inherit as ignored (signal(7)); it expects them as they are at first. */
export function resetSignals(stage: Stage): void {
  stage.call('umask', [0], 'modes are as given until the program begins');
  const noSignals: Struct = { bytes: Buffer.alloc(8), text: '[]' };
  const byDefault: Struct = { bytes: Buffer.alloc(32), text: '{SIG_DFL}' };
  stage.call(
    'rt_sigaction',
    [named('SIGPIPE', 13), byDefault, null, 8],
    'Node ignores SIGPIPE; the program should not',
  );
  stage.call('rt_sigaction', [named('SIGXFSZ', 25), byDefault, null, 8], 'likewise');
  stage.call('rt_sigprocmask', [named('SIG_SETMASK', 2), noSignals, null, 8], 'no signal is blocked');
}

/** personality(2), for programs of an older or a 32-bit kernel. */
export function setPersonality(stage: Stage, { domain }: { domain: string }): void {
  const word = domain === 'LINUX32' ? named('PER_LINUX32', 8) : named('PER_LINUX', 0);
  stage.call('personality', [word], 'what uname says of the machine');
}

const IFF_UP = 1;
const IFF_RUNNING = 0x40;
