import { attach } from '../index.ts';
import { stayAttached } from './attached.ts';
import { defineCommand } from './command.ts';
import { respell } from './run/spelling.ts';

/** `tsbox attach`: the exit code is the program's. */
export async function attachCommand(args: string[]): Promise<number> {
  const command = defineCommand({
    usage: 'attach [OPTIONS] CONTAINER',
    description:
      'Connect your streams or terminal to those of a container that runs, until it ends or you let go of it.',
    examples: [
      ['tsbox attach web', 'ctrl-p ctrl-q lets go of its terminal'],
      ['tsbox attach --no-stdin web', 'only look'],
    ],
  })
    .argument('<container>')
    .option('--detach-keys <keys>', 'What to type to leave it running (default ctrl-p,ctrl-q)')
    .option('--no-stdin', 'Do not connect your standard input')
    .option('--sig-proxy', 'Pass signals on to the program (default; =false for not)')
    .option('--no-sig-proxy', 'Do not');
  command.parse(respell(args, command.options), { from: 'user' });
  const options = command.opts<{ detachKeys?: string; stdin: boolean; sigProxy?: boolean }>();
  const attachment = await attach(command.args[0] as string);
  return stayAttached(attachment, {
    streams: new Set(options.stdin ? ['stdin', 'stdout', 'stderr'] : ['stdout', 'stderr']),
    detachKeys: options.detachKeys,
    sigProxy: options.sigProxy !== false,
    // Others may still type.
    closeInput: false,
  });
}
