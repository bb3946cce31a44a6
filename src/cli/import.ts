import { importImage } from '../index.ts';
import { collect, defineCommand } from './command.ts';
import { print } from './output.ts';
import { Progress } from './progress.ts';

/** `tsbox import` */
export async function importCommand(args: string[]): Promise<number> {
  const command = defineCommand({
    usage: 'import [OPTIONS] FILE|URL|- [NAME]',
    description: 'Make an image of a root file system tar: plain, gzip, zstd or xz. Prints its digest.',
    examples: [
      ['tsbox import alpine-minirootfs-3.22.0-x86_64.tar.gz alpine', 'a file'],
      ['tsbox import https://example.com/rootfs.tar.zst web:1', 'from the web'],
      ['tar -C rootfs -c . | tsbox import - mine', 'a directory of yours'],
    ],
  })
    .argument('<source>')
    .argument('[name]')
    .option(
      '-c, --change <instruction>',
      'As in a Dockerfile: CMD, ENTRYPOINT, ENV, EXPOSE, USER, VOLUME …',
      collect,
    )
    .option('-m, --message <text>', 'A word for its history')
    .option('-q, --quiet', 'Show no progress')
    .parse(args, { from: 'user' });
  const [source = '', name] = command.args;
  const { change, message, quiet } = command.opts<{ change?: string[]; message?: string; quiet?: boolean }>();
  const progress = new Progress('importing', quiet !== true);
  try {
    const image = await importImage(source === '-' ? process.stdin : source, name, {
      onProgress: progress.update,
      ...(change && { changes: change }),
      ...(message !== undefined && { message }),
    });
    progress.clear();
    print(`${image.digest}\n`);
  } finally {
    progress.clear();
  }
  return 0;
}
