import { diffContainer } from '../index.ts';
import { defineCommand } from './command.ts';
import { print } from './output.ts';
import { safe } from './safe.ts';

/** `tsbox diff` */
export async function diff(args: string[]): Promise<number> {
  const command = defineCommand({
    usage: 'diff CONTAINER',
    description: "Show what a container has added (A), changed (C) and deleted (D) of its image's files.",
    examples: [['tsbox diff web', 'a line each']],
  })
    .argument('<container>')
    .parse(args, { from: 'user' });
  const changes = await diffContainer(command.args[0] ?? '');
  print(changes.map(({ kind, path }) => `${kind} ${safe(path)}\n`).join(''));
  return 0;
}
