import { statSync } from 'node:fs';
import { posix } from 'node:path';
import { CAPABILITIES } from '../kernel/constants.ts';
import { closeDescriptor } from '../kernel/index.ts';
import { seccompFilter } from '../runtime/seccomp/kept.ts';
import type { Process } from '../runtime/spec.ts';
import type { Config } from './config/index.ts';
import { enter } from './enter.ts';
import { connectListener } from './listener.ts';
import { publicState } from './public-state.ts';
import { connectSocket } from './socket.ts';
import { failure, type Place, readConfigOf, readState, statusOf, writeWhole } from './state.ts';

export interface ExecOptions {
  /** Gives the program, from the container's own. */
  process: (config: Config) => Process;
  pidFile?: string | undefined;
  consoleSocket?: string | undefined;
  /** Whether it goes on when this process ends. */
  detach?: boolean;
  ignorePaused?: boolean;
  preserveFds?: number;
  /** A group below the container's own. */
  cgroup?: string | undefined;
}

/** Starts a program in a container that is there, created or running. @returns its pidfd, of a child of this process */
export function exec(place: Place, id: string, options: ExecOptions): { pid: number; pidfd: number } {
  const state = readState(place, id);
  const status = statusOf(place, state);
  if (status === 'stopped' || status === 'creating')
    throw failure('NOT_RUNNING', `cannot exec in a stopped container: container not running`);
  if (status === 'paused' && !options.ignorePaused)
    throw failure('PAUSED', 'cannot exec in a paused container (use --ignore-paused to override)');
  const config = readConfigOf(place, id);
  const process = options.process(config);
  if (process.terminal && options.consoleSocket === undefined)
    throw failure('BAD_OPTION', 'cannot allocate tty if runc will detach without setting console socket');
  if (!process.terminal && options.consoleSocket !== undefined)
    throw failure('BAD_OPTION', 'cannot use console socket if runc will not detach or allocate tty');
  const socket =
    options.consoleSocket === undefined
      ? undefined
      : connectSocket(options.consoleSocket, '--console-socket');
  const size = process.consoleSize && {
    columns: process.consoleSize.width,
    rows: process.consoleSize.height,
  };
  const listener = connectListener(config.linux.seccomp);
  try {
    const group = options.cgroup === undefined ? state.cgroup : groupBelow(state.cgroup, options.cgroup);
    const entered = enter({ ...state, cgroup: group }, config, {
      process,
      ...(config.linux.seccomp && {
        seccomp: { ...seccompFilter(config.linux.seccomp), listener: listener?.plan },
      }),
      born: (pid) => listener?.tell(pid, publicState(state, status)),
      stdio: socket === undefined ? { stdin: 0, stdout: 1, stderr: 2 } : { terminalSocket: socket, size },
      ...(options.detach && { detached: 'adopted' as const }),
      preserve: options.preserveFds ?? 0,
    });
    if (options.pidFile !== undefined) writeWhole(options.pidFile, String(entered.pid), 0o644);
    return entered;
  } finally {
    if (socket !== undefined) closeDescriptor(socket);
    listener?.close();
  }
}

function groupBelow(cgroup: string, path: string): string {
  const group = posix.join(cgroup, path);
  const inside = group === cgroup || group.startsWith(`${cgroup}/`);
  if (inside && !path.includes('\0') && statSync(group, { throwIfNoEntry: false })?.isDirectory())
    return group;
  throw failure('BAD_OPTION', `--cgroup: the container has no group ${JSON.stringify(path)}`);
}

/** What `exec` is told by flags instead of a file. */
export interface ExecFlags {
  args: string[];
  tty?: boolean;
  cwd?: string | undefined;
  env?: string[];
  user?: string | undefined;
  additionalGids?: number[];
  caps?: string[];
  noNewPrivs?: boolean;
  apparmor?: string | undefined;
}

/** As the container's own program, but for what the flags say. @throws {TsboxError} BAD_OPTION */
export function processFromFlags(own: Process, flags: ExecFlags): Process {
  const { capabilities } = own;
  for (const name of flags.caps ?? [])
    if (!(CAPABILITIES as readonly string[]).includes(name))
      throw failure('BAD_OPTION', `--cap: there is no capability ${JSON.stringify(name)}`);
  const add = (set: string[] | undefined) => [...new Set([...(set ?? []), ...(flags.caps ?? [])])];
  return {
    ...own,
    terminal: flags.tty ?? false,
    args: flags.args,
    cwd: flags.cwd || own.cwd,
    env: [...own.env, ...(flags.env ?? [])],
    user: flags.user
      ? { ...userOf(flags.user, own), additionalGids: flags.additionalGids ?? [] }
      : {
          ...own.user,
          additionalGids: [...(own.user.additionalGids ?? []), ...(flags.additionalGids ?? [])],
        },
    ...(flags.caps?.length && {
      capabilities: {
        ...capabilities,
        bounding: add(capabilities?.bounding),
        effective: add(capabilities?.effective),
        permitted: add(capabilities?.permitted),
        ambient: capabilities?.ambient ?? [],
      },
    }),
    ...(flags.noNewPrivs && { noNewPrivileges: true }),
    ...(flags.apparmor && { apparmorProfile: flags.apparmor }),
  };
}

function userOf(text: string, own: Process): Process['user'] {
  const [, uid, gid] = /^(\d{1,10})(?::(\d{1,10}))?$/.exec(text) ?? [];
  if (uid === undefined || Number(uid) > 2 ** 32 - 2 || Number(gid ?? 0) > 2 ** 32 - 2)
    throw failure('BAD_OPTION', `--user: expected UID[:GID], found ${JSON.stringify(text)}`);
  return { uid: Number(uid), gid: gid === undefined ? own.user.gid : Number(gid) };
}
