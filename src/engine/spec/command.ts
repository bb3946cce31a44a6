import { TsboxError } from '../../kernel/index.ts';
import { refuseNul } from '../options/index.ts';
import type { ImageConfig } from './image-config.ts';

/**
 * What is executed: the entrypoint and then the command. A command given takes the place of the image's Cmd; an entrypoint given takes the
 * place of the image's and drops its Cmd, which was made for another program; an empty one means none.
 *
 * @throws NO_COMMAND where nothing is left
 */
export function resolveCommand(
  entrypoint: string | readonly string[] | undefined,
  command: readonly string[],
  image: ImageConfig,
): string[] {
  const args =
    entrypoint === undefined
      ? [...(image.Entrypoint ?? []), ...(command.length > 0 ? command : (image.Cmd ?? []))]
      : [...entrypointList(entrypoint), ...command];
  if (args.length === 0) {
    throw new TsboxError('NO_COMMAND', 'no command given and the image has none', {
      advice: 'Name a program after the image: tsbox run IMAGE sh',
    });
  }
  for (const arg of args) refuseNul('COMMAND', arg);
  return args;
}

function entrypointList(entrypoint: string | readonly string[]): readonly string[] {
  // [''] as well: it is what a command line's `--entrypoint ''` becomes when it is collected into a list.
  const list = typeof entrypoint === 'string' ? [entrypoint] : entrypoint;
  return list.length === 1 && list[0] === '' ? [] : list;
}
