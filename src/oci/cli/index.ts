/**
 * `tsbox-oci`: runc's command line over src/oci/. One file a group of verbs. What engines ask for again and again is loaded in any case and small; the
 * rest, with all that makes plans, is another file of the build (scripts/build/bundle.mjs), loaded when it is asked for.
 */
import { TsboxError } from '../../kernel/error.ts';
import { failure } from '../state.ts';
import type { Call } from './call.ts';
import { remove } from './delete.ts';
import { parseFlags } from './flags.ts';
import { kill } from './kill.ts';
import { openLog } from './log.ts';
import { start } from './start.ts';
import { list, state } from './state.ts';

type Verb = (call: Call) => number | undefined | Promise<number | undefined>;

/** @returns the exit status */
export async function tsboxOci(args: readonly string[]): Promise<number> {
  let log = openLog({ json: false, debug: false });
  try {
    const { flags, rest } = parseFlags(args, GLOBAL, { v: 'version', h: 'help' });
    const format = flags.string('log-format') ?? 'text';
    log = openLog({
      file: flags.string('log') || undefined,
      json: format === 'json',
      debug: flags.is('debug'),
    });
    if (format !== 'json' && format !== 'text')
      throw failure('BAD_OPTION', `unknown log-format ${JSON.stringify(format)}`);
    if (flags.is('version')) return (await import('./about.ts')).printVersion();
    const [name, ...own] = rest;
    if (flags.is('help') || name === undefined || name === 'help')
      return (await import('./about.ts')).printHelp();
    const verb = Object.hasOwn(VERBS, name) ? VERBS[name] : undefined;
    if (verb === undefined)
      throw failure('USAGE', `unknown command ${JSON.stringify(name)}; see tsbox-oci --help`);
    if (name !== 'spec' && name !== 'features' && process.geteuid?.() !== 0)
      throw failure('NOT_ROOT', 'tsbox-oci must run as root: it is not rootless');
    const place = { root: flags.string('root') || '/run/tsbox-oci' };
    return (await (await verb())({ place, args: own, log, systemd: flags.is('systemd-cgroup') })) ?? 0;
  } catch (error) {
    const known = error instanceof TsboxError;
    const { message, advice } = error as TsboxError;
    log.error(known && advice !== undefined ? `${message} (${advice})` : message);
    return 1;
  }
}

const GLOBAL = {
  root: 'string',
  log: 'string',
  'log-format': 'string',
  debug: 'bool',
  'systemd-cgroup': 'bool',
  rootless: 'string',
  criu: 'string',
  version: 'bool',
  help: 'bool',
} as const;

const unsupported = (name: string) => async (): Promise<Verb> => () => {
  throw failure('NOT_SUPPORTED', `${name} is not supported: tsbox-oci has no checkpoints`);
};

const VERBS: Record<string, () => Verb | Promise<Verb>> = {
  create: async () => (await import('./create.ts')).create,
  start: () => start,
  run: async () => (await import('./run.ts')).run,
  state: () => state,
  list: () => list,
  kill: () => kill,
  delete: () => remove,
  exec: async () => (await import('./exec.ts')).exec,
  ps: async () => (await import('./ps.ts')).ps,
  pause: async () => (await import('./pause.ts')).pause,
  resume: async () => (await import('./pause.ts')).resume,
  update: async () => (await import('./update.ts')).update,
  events: async () => (await import('./events.ts')).events,
  spec: async () => (await import('./spec.ts')).spec,
  features: async () => (await import('./features.ts')).features,
  checkpoint: unsupported('checkpoint'),
  restore: unsupported('restore'),
};
