import { sweep } from '../index.ts';
import { defineCommand } from './command.ts';
import { usageError } from './usage.ts';

/** `tsbox system sweep`: tsbox does it by itself when it needs to; this is for scripts and for tests. */
export async function system(args: string[]): Promise<number> {
  const command = defineCommand({
    usage: 'system sweep',
    description: 'Clean up what tsbox processes left that were killed.',
    examples: [['sudo tsbox system sweep', 'cgroups, state and files without an owner']],
  })
    .argument('<action>')
    .parse(args, { from: 'user' });
  if (command.args[0] !== 'sweep')
    throw usageError('system', `no such action: ${JSON.stringify(command.args[0])}`);
  sweep();
  return 0;
}
