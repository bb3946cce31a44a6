import { loadImages, TsboxError } from '../index.ts';
import { defineCommand } from './command.ts';
import { print } from './output.ts';
import { Progress } from './progress.ts';
import { safe } from './safe.ts';

/** `tsbox load` */
export async function load(args: string[]): Promise<number> {
  const command = defineCommand({
    usage: 'load [OPTIONS]',
    description:
      'Load the images of an archive: of docker save, podman save or tsbox save; plain, gzip, zstd or xz. From standard input unless -i names a file.',
    examples: [
      ['tsbox load -i alpine.tar', 'a file'],
      ['ssh host docker save web:1 | tsbox load', 'from another machine'],
    ],
  })
    .option('-i, --input <file>', 'Read from a file')
    .option('-q, --quiet', 'Show no progress')
    .allowExcessArguments(false)
    .parse(args, { from: 'user' });
  const { input, quiet } = command.opts<{ input?: string; quiet?: boolean }>();
  if (input === undefined && process.stdin.isTTY) {
    throw new TsboxError('TERMINAL', 'there is no archive on standard input: it is a terminal', {
      advice: 'use -i FILE, or redirect standard input',
    });
  }
  const progress = new Progress('loading', quiet !== true);
  try {
    const loaded = await loadImages(input ?? process.stdin, { onProgress: progress.update });
    progress.clear();
    for (const { name, id } of loaded)
      print(name === undefined ? `Loaded image ID: ${id}\n` : `Loaded image: ${safe(name)}\n`);
  } finally {
    progress.clear();
  }
  return 0;
}
