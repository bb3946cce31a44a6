import { copyFromContainer, copyToContainer } from '../index.ts';
import { defineCommand } from './command.ts';
import { printError } from './output.ts';
import { safe } from './safe.ts';
import { decimalSize } from './units.ts';
import { usageError } from './usage.ts';

/** `tsbox cp` */
export async function cp(args: string[]): Promise<number> {
  const command = defineCommand({
    usage: 'cp [OPTIONS] CONTAINER:SOURCE DESTINATION|-  |  cp [OPTIONS] SOURCE|- CONTAINER:DESTINATION',
    description:
      'Copy files between a container, running or not, and this machine. `-` is a tar archive on standard input or output.',
    examples: [
      ['tsbox cp web:/etc/nginx .', 'a directory'],
      ['tsbox cp site/. web:/srv', "a directory's content"],
      ['tsbox cp web:/var/log - | tar t', 'as an archive'],
    ],
  })
    .argument('<source>')
    .argument('<destination>')
    .option('-a, --archive', 'Keep the IDs of the owners')
    .option('-L, --follow-link', 'Follow a symbolic link that is the source')
    .option('-q, --quiet', 'Do not say how much it was')
    .parse(args, { from: 'user' });
  const { archive, followLink, quiet } = command.opts<{
    archive?: boolean;
    followLink?: boolean;
    quiet?: boolean;
  }>();
  const options = { ...(archive && { archive }), ...(followLink && { followLink }) };
  const [source = '', destination = ''] = command.args;
  const [from, to] = [inContainer(source), inContainer(destination)];
  if (from && to) throw usageError('cp', 'copying between containers is not supported');
  if (!from && !to) throw usageError('cp', 'must specify at least one container source');
  let bytes = 0;
  if (from) {
    if (destination === '-' && process.stdout.isTTY)
      throw usageError('cp', 'cowardly refusing to write an archive to a terminal');
    const target = destination === '-' ? process.stdout : destination;
    bytes = await copyFromContainer(from.container, from.path, target, options);
    if (destination === '-') return 0;
  } else if (to) {
    bytes = await copyToContainer(to.container, source === '-' ? process.stdin : source, to.path, options);
  }
  if (!quiet) printError(`${safe(`Successfully copied ${decimalSize(bytes)} to ${destination}`)}\n`);
  return 0;
}

/** `NAME:PATH`, unless it begins like a path of this machine: `./a:b`. */
function inContainer(text: string): { container: string; path: string } | undefined {
  const colon = text.indexOf(':');
  if (colon < 1 || /^[./]/.test(text) || text.slice(0, colon).includes('/')) return undefined;
  return { container: text.slice(0, colon), path: text.slice(colon + 1) };
}
