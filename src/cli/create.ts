import { create } from '../index.ts';
import { print } from './output.ts';
import { reportPull } from './report-pull.ts';
import { readRunArguments } from './run/arguments.ts';
import { usageError } from './usage.ts';

/** `tsbox create` */
export async function createCommand(args: string[]): Promise<number> {
  const { image, command, options, explain } = readRunArguments(args, {
    usage: 'create [OPTIONS] IMAGE [COMMAND] [ARG…]',
    description:
      'Make a container without starting it, and print its ID. The options are those of `tsbox run`.',
    examples: [
      ['tsbox create --name web alpine httpd -f', 'make it'],
      ['tsbox start web', 'start it'],
    ],
  });
  if (image === '') throw usageError('create', "the image's name is empty");
  if (explain !== undefined) throw usageError('create', '--explain is an option of `tsbox run`');
  const { id } = await create(image, command, { ...options, onPull: reportPull(image, options.quiet) });
  print(`${id}\n`);
  return 0;
}
