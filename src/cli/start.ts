import { type Attachment, container, startContainer } from '../index.ts';
import { stayAttached } from './attached.ts';
import { defineCommand } from './command.ts';
import { forEachName } from './each.ts';
import { print } from './output.ts';
import { windowSize } from './run/terminal.ts';
import { usageError } from './usage.ts';

/** `tsbox start`: prints the names; with `-a` or `-i` it stays, and the exit code is the program's. */
export async function start(args: string[]): Promise<number> {
  const command = defineCommand({
    usage: 'start [OPTIONS] CONTAINER…',
    description: 'Start containers that were made before.',
    examples: [
      ['tsbox start web', 'in the background'],
      ['tsbox start -a job', 'and show what it writes, until it ends'],
      ['tsbox start -ai shell', 'and type into it'],
    ],
  })
    .argument('<container...>')
    .option('-a, --attach', 'Show what it writes, and pass signals on')
    .option('-i, --interactive', 'Connect your standard input')
    .option('--detach-keys <keys>', 'What to type to leave it running (default ctrl-p,ctrl-q)')
    .parse(args, { from: 'user' });
  const options = command.opts<{ attach?: boolean; interactive?: boolean; detachKeys?: string }>();
  if (!options.attach && !options.interactive) {
    return forEachName(command.args, async (name) => {
      await startContainer(name, { size: windowSize() });
      print(`${name}\n`);
    });
  }
  if (command.args.length > 1)
    throw usageError('start', 'cannot start and attach multiple containers at once');
  return startAttached(command.args[0] as string, options);
}

async function startAttached(
  name: string,
  options: { interactive?: boolean; detachKeys?: string },
): Promise<number> {
  const found = await container(name);
  let attachment: Attachment | undefined;
  const connected = (connection: Attachment) => {
    attachment = connection;
  };
  try {
    await startContainer(found.id, { size: windowSize(), connected });
  } catch (error) {
    attachment?.detach();
    throw error;
  }
  // It ran already.
  attachment ??= await found.attach();
  return stayAttached(attachment, {
    streams: new Set(options.interactive ? ['stdin', 'stdout', 'stderr'] : ['stdout', 'stderr']),
    detachKeys: options.detachKeys,
    sigProxy: true,
    closeInput: true,
  });
}
