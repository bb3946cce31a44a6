import { removeImage } from '../index.ts';
import { defineCommand } from './command.ts';
import { forEachName } from './each.ts';
import { print } from './output.ts';

/** `tsbox rmi` */
export async function rmi(args: string[]): Promise<number> {
  const command = defineCommand({
    usage: 'rmi IMAGE…',
    description: 'Remove images by name or ID. Layers go with the last image that uses them.',
    examples: [
      ['tsbox rmi alpine', 'one'],
      ['tsbox rmi $(tsbox images -q)', 'all'],
    ],
  })
    .argument('<image...>')
    .parse(args, { from: 'user' });
  return forEachName(command.args, async (name) => {
    const { untagged, deleted } = await removeImage(name);
    print(
      [...untagged.map((tag) => `Untagged: ${tag}\n`), ...deleted.map((id) => `Deleted: ${id}\n`)].join(''),
    );
  });
}
