import { sweep } from '../index.ts';
import { defineCommand } from './command.ts';
import { runGroup, type Subcommand } from './group.ts';

/** `tsbox system` */
export function system(args: string[]): Promise<number> {
  return runGroup('system', 'Work with what tsbox keeps on this machine.', SUBCOMMANDS, args);
}

const SUBCOMMANDS: Record<string, Subcommand> = {
  df: {
    summary: 'Show what images and containers take on the disk',
    run: async (args) => (await import('./system-df.ts')).systemDf(args),
  },
  info: {
    summary: 'Show what tsbox knows about this machine',
    run: async (args) => (await import('./info.ts')).infoCommand(args),
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
  sweep();
  return 0;
}
