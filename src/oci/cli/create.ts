import { create as make } from '../create.ts';
import type { Call } from './call.ts';
import { expect, type Flags, type Kinds, parseFlags } from './flags.ts';

export const CREATE_FLAGS: Kinds = {
  bundle: 'string',
  'pid-file': 'string',
  'console-socket': 'string',
  'no-pivot': 'bool',
  'no-new-keyring': 'bool',
  'preserve-fds': 'string',
};

export async function create({ place, args, log, systemd }: Call): Promise<undefined> {
  const { flags, rest } = parseFlags(args, CREATE_FLAGS, { b: 'bundle' });
  const [id = ''] = expect(rest, ['container-id']);
  await make(place, id, { ...createOptions(flags), systemd, warn: log.warn });
}

/** sd_listen_fds(3): sockets from 3 on, which somebody has opened for the program. They come before those of --preserve-fds. */
function listening(): number {
  const { LISTEN_PID, LISTEN_FDS = '' } = process.env;
  if (Number(LISTEN_PID) !== process.pid || !/^\d{1,3}$/.test(LISTEN_FDS)) return 0;
  return Number(LISTEN_FDS);
}

export function createOptions(flags: Flags) {
  const listenFds = listening();
  return {
    bundle: flags.string('bundle') || undefined,
    pidFile: flags.string('pid-file') || undefined,
    consoleSocket: flags.string('console-socket') || undefined,
    noPivot: flags.is('no-pivot'),
    noNewKeyring: flags.is('no-new-keyring'),
    preserveFds: listenFds + flags.count('preserve-fds'),
    listenFds,
  };
}
