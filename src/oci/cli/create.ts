import { create as make } from '../create.ts';
import { expect, type Flags, type Kinds, parseFlags } from './flags.ts';
import type { Call } from './index.ts';

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

export function createOptions(flags: Flags) {
  return {
    bundle: flags.string('bundle') || undefined,
    pidFile: flags.string('pid-file') || undefined,
    consoleSocket: flags.string('console-socket') || undefined,
    noPivot: flags.is('no-pivot'),
    noNewKeyring: flags.is('no-new-keyring'),
    preserveFds: flags.count('preserve-fds'),
  };
}
