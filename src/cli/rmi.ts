import { removeImage } from '../index.ts';
import { defineCommand } from './command.ts';
import { forEachName } from './each.ts';
import { print } from './output.ts';
import { report } from './report.ts';
import { safe } from './safe.ts';

/** `tsbox rmi` */
export async function rmi(args: string[]): Promise<number> {
  const command = defineCommand({
    usage: 'rmi [OPTIONS] IMAGE…',
    description: 'Remove images by name or ID. Layers go with the last image that uses them.',
    examples: [
      ['tsbox rmi alpine', 'one'],
      ['tsbox rmi -f 0123abcd', 'one with all its names'],
      ['tsbox rmi $(tsbox images -q)', 'all'],
    ],
  })
    .argument('<image...>')
    .option('-f, --force', 'Remove all names of an ID; take the name from an image that a container uses')
    .option('--no-prune', "Accepted for Docker's sake: there are no untagged parents here")
    .parse(args, { from: 'user' });
  const { force = false } = command.opts<{ force?: boolean }>();
  return forEachName(command.args, async (name) => {
    try {
      const { untagged, deleted } = await removeImage(name, { force });
      const lines = [...untagged.map((tag) => `Untagged: ${tag}`), ...deleted.map((id) => `Deleted: ${id}`)];
      if (lines.length > 0) print(`${safe(lines.join('\n'))}\n`);
    } catch (error) {
      // As Docker does: what is to be gone is gone.
      if (!force || (error as { code?: unknown }).code !== 'IMAGE_NOT_FOUND') throw error;
      report(error);
    }
  });
}
