import { AT, Errno, O, OPEN_TREE, RESOLVE } from '../kernel/index.ts';
import { flags, named, type Slot, type Step, type Struct } from '../launch/index.ts';
import { descriptorMessage } from './descriptor-message.ts';
import { OPEN_DEVICE } from './devices.ts';
import type { Attacher } from './mount-attach.ts';
import type { Process } from './spec.ts';
import type { Stage } from './stage.ts';
import { words } from './structs.ts';

/** Descriptors of this process that become the program's 0, 1 and 2. */
export interface Stdio {
  stdin: number;
  stdout: number;
  stderr: number;
}

/** The Unix socket that takes the master end of the program's terminal, and how large that is in characters. */
export interface TerminalStdio {
  terminalSocket: number;
  size?: { columns: number; rows: number } | undefined;
}

/**
 * The terminal: a pty of the container's own devpts, so that its name (/dev/pts/0) means something inside. The master goes to the
 * launcher over a Unix socket; the other end becomes the controlling terminal, and /dev/console, as OCI has it.
 */
export function openTerminal(stage: Stage, attacher: Attacher, stdio: TerminalStdio, uid: number): Slot {
  const terminal = openPty(stage, stdio, uid);
  controlTerminal(stage, terminal);
  const console = stage.open(
    'console',
    'open_tree',
    [terminal, '', flags(OPEN_TREE, 'OPEN_TREE_CLONE', 'OPEN_TREE_CLOEXEC', 'AT_EMPTY_PATH')],
    'the same terminal, as a mount',
  );
  attacher.attach(console, '/dev/console', { file: true, followLink: false });
  return terminal;
}

/**
 * A new pty of the devpts at /dev/pts: its other end; the master end goes over the socket.
 *
 * @param keep the number under which the master end stays open here until exec; it may be that of the socket
 */
export function openPty(
  stage: Stage,
  { terminalSocket, size }: TerminalStdio,
  uid: number,
  keep?: number,
): Slot {
  const cwd = named('AT_FDCWD', AT.AT_FDCWD);
  const master = stage.open('pty_master', 'openat', [cwd, '/dev/pts/ptmx', OPEN_DEVICE], 'a new terminal');
  stage.call('ioctl', [master, named('TIOCSPTLCK', 0x40045431), words('0', 0)], 'unlock its other end');
  if (size !== undefined) {
    // struct winsize: rows, columns, and two that nobody uses, of 16 bits each. The program may ask before we have the master end.
    const winsize = words(`{${size.rows}, ${size.columns}}`, size.rows | (size.columns << 16), 0);
    stage.call('ioctl', [master, named('TIOCSWINSZ', 0x5414), winsize], 'as large as ours');
  }
  const terminal = stage.open(
    'pty',
    'ioctl',
    [master, named('TIOCGPTPEER', 0x5441), flags(O, 'O_RDWR', 'O_NOCTTY', 'O_CLOEXEC')],
    'open the other end, by descriptor: no path of the image is involved',
  );
  if (uid !== 0) stage.call('fchown', [terminal, uid, -1], "it is the user's");
  stage.call('sendmsg', [terminalSocket, oneByteWith(master), 0], 'the launcher holds the master end');
  if (keep !== undefined)
    stage.call(
      'dup3',
      [master, keep, flags(O, 'O_CLOEXEC')],
      'so does the keeper, also when the launcher is gone',
    );
  return terminal;
}

/** By the leader of a session that has none yet. ioctl_tty(2) */
export function controlTerminal(stage: Stage, terminal: Slot | number): void {
  stage.call(
    'ioctl',
    [terminal, named('TIOCSCTTY', 0x540e), 0],
    'Ctrl-C and job control come from this terminal',
  );
}

/** The descriptors that stay until exec, `first` to `last`; and how many from 3 on the program gets. */
export interface Kept {
  first: number;
  last: number;
  above?: number | undefined;
}

/** Moves the program's streams to 0, 1 and 2 and closes everything else but `keep`, which closes at exec. */
export function placeStdio(stage: Stage, stdio: Stdio | Slot, keep: number | Kept): void {
  const { first, last, above = 0 } = typeof keep === 'number' ? { first: keep, last: keep } : keep;
  const sources = 'stdin' in stdio ? [stdio.stdin, stdio.stdout, stdio.stderr] : [stdio, stdio, stdio];
  for (const [target, source] of sources.entries()) {
    // dup3 refuses equal descriptors; then there is nothing to move.
    if (source !== target)
      stage.call(
        'dup3',
        [source as number | Slot, target, 0],
        ['stdin', 'stdout', 'stderr'][target] as string,
      );
    // Node marks 0, 1 and 2 close-on-exec.
    else
      stage.call(
        'fcntl',
        [target, named('F_SETFD', 2), 0],
        `keep ${['stdin', 'stdout', 'stderr'][target]} at exec`,
      );
  }
  // Before chdir: a working directory of /proc/self/fd/9 must not find a directory of the host there (CVE-2024-21626).
  if (first > 3 + above)
    stage.call('close_range', [3 + above, first - 1, 0], 'no descriptor of the host stays');
  stage.call(
    'close_range',
    [last + 1, named('~0', 0xffffffff), 0],
    'nor above the one that tells tsbox of the exec by closing',
  );
}

export const CLOSE_RANGE = { CLOSE_RANGE_CLOEXEC: 4 } as const;

/**
 * Enters the working directory. Only now that no descriptor of the host is open, and through none of proc's links: /proc/self/fd/7 or
 * /proc/1/root, which a symlink of the image may lead to, could be a directory of the host (CVE-2024-21626).
 */
export function enterDirectory(stage: Stage, path: string): Slot {
  const how = Buffer.alloc(24);
  const open = flags(O, 'O_PATH', 'O_DIRECTORY', 'O_CLOEXEC');
  how.writeBigUInt64LE(BigInt(open.value), 0);
  how.writeBigUInt64LE(BigInt(RESOLVE.RESOLVE_NO_MAGICLINKS), 16);
  const struct: Struct = { bytes: how, text: `{flags=${open.text}, resolve=RESOLVE_NO_MAGICLINKS}` };
  const directory = stage.open(
    'working_directory',
    'openat2',
    [named('AT_FDCWD', AT.AT_FDCWD), path, struct, how.length],
    'the working directory, by a way that stays inside',
  );
  stage.call('fchdir', [directory], 'where the program begins');
  return directory;
}

/** One exec for each directory of PATH, as execvp(3) does it; the first that is there becomes the program. */
export function execProgram(stage: Stage, process: Process, init: string | undefined): void {
  if (init !== undefined) {
    // The reaper looks for the program itself.
    stage.call(
      'execve',
      [init, { strings: [init, '--', ...process.args] }, { strings: process.env }],
      'become the reaper, which starts the program',
    );
    return;
  }
  const candidates = programPaths(process);
  for (const [index, path] of candidates.entries()) {
    const last = index === candidates.length - 1;
    const tolerate = last ? {} : { tolerate: [Errno.ENOENT, Errno.ENOTDIR, Errno.EACCES] };
    const why = index === 0 ? 'become the program' : 'or it is here';
    stage.call('execve', [path, { strings: process.args }, { strings: process.env }], why, tolerate);
  }
}

/** Where the program may be. */
export function programPaths({ args, env }: Process): string[] {
  const name = args[0] ?? '';
  return name.includes('/') ? [name] : searchPath(env).map((directory) => `${directory}/${name}`);
}

/** The same default as Docker's for an environment without PATH. An empty entry means the working directory, as in sh. */
export function searchPath(env: readonly string[]): string[] {
  const path = env.findLast((entry) => entry.startsWith('PATH='))?.slice('PATH='.length);
  const directories = (path || DEFAULT_PATH).split(':').map((directory) => directory || '.');
  return [...new Set(directories)].slice(0, 64);
}

/** Whether a step is one of the execs: its failure is about the program, not about us. */
export function isExec(step: Step): boolean {
  return step.call === 'execve';
}

const DEFAULT_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/** A message must have at least one byte for a descriptor to go with (unix(7)). */
function oneByteWith(fd: Slot): Struct {
  const bytes = Buffer.alloc(16);
  bytes.writeBigUInt64LE(1n, 8);
  const byte = { bytes: Buffer.from('T'), text: 'T' };
  const vector = { bytes, text: 'iovec', pointers: [{ offset: 0, to: byte }] };
  return descriptorMessage(vector, fd, `{SCM_RIGHTS, [${fd.name}]}`);
}
