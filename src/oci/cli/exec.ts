import { readJson, readProcess } from '../config/index.ts';
import { exec as execIn, processFromFlags } from '../exec.ts';
import { failure } from '../state.ts';
import type { Call } from './call.ts';
import { parseFlags } from './flags.ts';
import { waitFor } from './wait-for.ts';

export async function exec({ place, args }: Call): Promise<number> {
  const { flags, rest } = parseFlags(args, KINDS, {
    d: 'detach',
    t: 'tty',
    e: 'env',
    u: 'user',
    g: 'additional-gids',
    c: 'cap',
    p: 'process',
  });
  const [id, ...command] = rest;
  if (id === undefined) throw failure('USAGE', 'a container-id is missing');
  const file = flags.string('process');
  if (file === undefined && command.length === 0) throw failure('USAGE', 'a command is missing');
  if (flags.string('process-label')) throw failure('NOT_SUPPORTED', 'SELinux labels are not supported');
  const detach = flags.is('detach');
  const { pidfd } = execIn(place, id, {
    process: ({ process }) =>
      file !== undefined
        ? readProcess(readJson(file), 'process')
        : processFromFlags(process, {
            args: command,
            tty: flags.is('tty'),
            cwd: flags.string('cwd'),
            env: flags.list('env'),
            user: flags.string('user'),
            additionalGids: flags.list('additional-gids').map(groupId),
            caps: flags.list('cap'),
            noNewPrivs: flags.is('no-new-privs'),
            apparmor: flags.string('apparmor'),
          }),
    pidFile: flags.string('pid-file') || undefined,
    consoleSocket: flags.string('console-socket') || undefined,
    detach,
    ignorePaused: flags.is('ignore-paused'),
    cgroup: flags.string('cgroup') || undefined,
    preserveFds: flags.count('preserve-fds'),
  });
  // As a child of whoever adopts ours: conmon, containerd's shim.
  return detach ? 0 : waitFor(pidfd);
}

function groupId(text: string): number {
  if (!/^\d{1,10}$/.test(text))
    throw failure('BAD_OPTION', `--additional-gids: ${JSON.stringify(text)} is no number`);
  return Number(text);
}

const KINDS = {
  'console-socket': 'string',
  cwd: 'string',
  env: 'list',
  tty: 'bool',
  user: 'string',
  'additional-gids': 'list',
  process: 'string',
  detach: 'bool',
  'pid-file': 'string',
  apparmor: 'string',
  'no-new-privs': 'bool',
  cap: 'list',
  'preserve-fds': 'string',
  'ignore-paused': 'bool',
  cgroup: 'string',
  'process-label': 'string',
} as const;
