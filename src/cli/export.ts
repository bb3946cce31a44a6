import { exportContainer, TsboxError } from '../index.ts';
import { defineCommand } from './command.ts';
import { writeFileAside, writeToStdout } from './write-stream.ts';

/** `tsbox export` */
export async function exportCommand(args: string[]): Promise<number> {
  const command = defineCommand({
    usage: 'export [OPTIONS] CONTAINER',
    description:
      "Write all of a container's files to a tar archive, on standard output unless -o names a file. What is mounted in it is left out.",
    examples: [
      ['tsbox export -o web.tar web', 'to a file'],
      ['tsbox export web | tsbox import - web:flat', 'an image of one layer'],
    ],
  })
    .argument('<container>')
    .option('-o, --output <file>', 'Write to a file')
    .parse(args, { from: 'user' });
  const { output } = command.opts<{ output?: string }>();
  if (output === undefined && process.stdout.isTTY) {
    throw new TsboxError('TERMINAL', 'an archive is not written to a terminal', {
      advice: 'use -o FILE, or redirect standard output',
    });
  }
  const archive = await exportContainer(command.args[0] ?? '');
  if (output === undefined) await writeToStdout(archive);
  else await writeFileAside(output, archive);
  return 0;
}
