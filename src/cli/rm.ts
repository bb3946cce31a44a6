import { removeContainer, TsboxError } from '../index.ts';
import { defineCommand } from './command.ts';
import { forEachName } from './each.ts';
import { print } from './output.ts';
import { report } from './report.ts';

/** `tsbox rm` */
export async function rm(args: string[]): Promise<number> {
  const command = defineCommand({
    usage: 'rm [OPTIONS] CONTAINER…',
    description: 'Remove containers by name or ID, with what they wrote.',
    examples: [
      ['tsbox rm web', 'one that has ended'],
      ['tsbox rm -f web', 'one that runs'],
      ['tsbox rm $(tsbox ps -aq)', 'all that have ended'],
    ],
  })
    .argument('<container...>')
    .option('-f, --force', 'Kill it first if it runs; what is not there is no failure')
    .option('-v, --volumes', 'Remove its anonymous volumes too')
    .parse(args, { from: 'user' });
  const { force, volumes } = command.opts<{ force?: boolean; volumes?: boolean }>();
  return forEachName(command.args, async (name) => {
    try {
      await removeContainer(name, { force, volumes });
      print(`${name}\n`);
    } catch (error) {
      // As in Docker: it is said, and does not count.
      if (!force || !(error instanceof TsboxError) || error.code !== 'NO_CONTAINER') throw error;
      report(error);
    }
  });
}
