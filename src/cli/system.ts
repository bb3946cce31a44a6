import {
  checkHealth,
  containerEnded,
  restartNow,
  startAfterBoot,
  stopForShutdown,
  sweep,
  sweepImages,
} from '../index.ts';
import { defineCommand } from './command.ts';
import { runGroup, type Subcommand } from './group.ts';
import { print } from './output.ts';
import { report } from './report.ts';

/** `tsbox system` */
export async function system(args: string[]): Promise<number> {
  // What monitors become (native/monitor.c); nobody types these.
  const [action, id] = args;
  if (id !== undefined && /^[0-9a-f]{64}$/.test(id)) {
    if (action === 'ended') return done(containerEnded(id));
    if (action === 'restart') return done(restartNow(id));
    if (action === 'healthcheck') return (await checkHealth(id)) ? STILL_STARTING : 0;
  }
  return runGroup('system', 'Work with what tsbox keeps on this machine.', SUBCOMMANDS, args, [
    ['tsbox system df', 'what takes how much space'],
    ['tsbox system start', 'what is to run after a boot'],
  ]);
}

/** native/monitor.c knows it: the next check is due sooner. */
const STILL_STARTING = 100;

const SUBCOMMANDS: Record<string, Subcommand> = {
  df: {
    summary: 'Show what images and containers take on the disk',
    run: async (args) => (await import('./system-df.ts')).systemDf(args),
  },
  info: {
    summary: 'Show what tsbox knows about this machine',
    run: async (args) => (await import('./info.ts')).infoCommand(args),
  },
  prune: {
    summary: 'Remove what nobody uses',
    run: async (args) => (await import('./system-prune.ts')).systemPrune(args),
  },
  start: {
    summary: 'Start what is to run after a boot: --restart always and unless-stopped',
    run: (args) => systemStart(args),
  },
  stop: {
    summary: 'Stop all containers for a shutdown; `system start` starts them again',
    run: (args) => systemStop(args),
  },
  sweep: {
    summary: 'Clean up what tsbox processes left that were killed',
    run: async (args) => systemSweep(args),
  },
};

/** tsbox does it by itself when it needs to; this is for scripts and for tests. */
function systemSweep(args: string[]): number {
  defineCommand({
    usage: 'system sweep',
    description: 'Clean up what tsbox processes left that were killed.',
    examples: [['sudo tsbox system sweep', 'cgroups, state and files without an owner']],
  }).parse(args, { from: 'user' });
  sweep({ strict: true });
  sweepImages();
  return 0;
}

async function done(act: Promise<void>): Promise<number> {
  await act;
  return 0;
}

function systemStart(args: string[]): Promise<number> {
  defineCommand({
    usage: 'system start',
    description: 'Start the containers that are to run after a boot: --restart always and unless-stopped.',
    examples: [['sudo tsbox system start', 'as the systemd unit tsbox.service does']],
  }).parse(args, { from: 'user' });
  return listed(startAfterBoot());
}

function systemStop(args: string[]): Promise<number> {
  defineCommand({
    usage: 'system stop',
    description: 'Stop all containers for a shutdown. What --restart promises holds after the boot.',
    examples: [['sudo tsbox system stop', 'as the systemd unit tsbox.service does']],
  }).parse(args, { from: 'user' });
  return listed(stopForShutdown());
}

/** Their names; what went wrong is reported, and counts for the exit code. */
async function listed(results: Promise<{ name: string; error?: unknown }[]>): Promise<number> {
  let exitCode = 0;
  for (const { name, error } of await results) {
    if (error === undefined) print(`${name}\n`);
    else exitCode = report(error);
  }
  return exitCode;
}
