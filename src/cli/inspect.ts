import { inspectContainer, inspectImage, TsboxError } from '../index.ts';
import { defineCommand } from './command.ts';
import { forEachName } from './each.ts';
import { formatValue } from './format.ts';
import { print } from './output.ts';
import { safe } from './safe.ts';
import { usageError } from './usage.ts';

/** `tsbox inspect`: containers, and images where there is no container of the name. */
export async function inspect(args: string[]): Promise<number> {
  const command = defineCommand({
    usage: 'inspect [OPTIONS] NAME…',
    description: 'Show everything about containers or images, as JSON.',
    examples: [
      ['tsbox inspect web', 'all of it'],
      ["tsbox inspect --format '{{.State.Pid}}' web", 'one thing'],
      ['tsbox inspect --type image alpine', 'an image that a container is named like'],
    ],
  })
    .argument('<name...>')
    .option('-f, --format <format>', 'json, or a Go template: {{.State.Status}}')
    .option('-s, --size', 'Also how large the files of a container are')
    .option('--type <container|image>', 'Only one of these')
    .parse(args, { from: 'user' });
  const { format, size, type } = command.opts<{ format?: string; size?: boolean; type?: string }>();
  if (type !== undefined && type !== 'container' && type !== 'image')
    throw usageError('inspect', `--type ${JSON.stringify(type)}: not container or image`);
  const asJson = format === undefined || format === 'json';
  const found: object[] = [];
  const exitCode = await forEachName(command.args, async (name) => {
    const value = await lookUp(name, type, size === true);
    if (asJson) found.push(value);
    else print(formatValue('inspect', format as string, value));
  });
  if (asJson) print(`${safe(JSON.stringify(found, null, format === undefined ? 4 : 0))}\n`);
  return exitCode === 0 ? 0 : 1;
}

async function lookUp(name: string, type: string | undefined, size: boolean): Promise<object> {
  if (type === 'image') return inspectImage(name);
  try {
    return await inspectContainer(name, { size });
  } catch (error) {
    if (type === 'container' || !(error instanceof TsboxError) || error.code !== 'NO_CONTAINER') throw error;
  }
  try {
    return await inspectImage(name);
  } catch (error) {
    if (!(error instanceof TsboxError) || error.code !== 'IMAGE_NOT_FOUND') throw error;
    throw new TsboxError('NO_OBJECT', `there is no container or image \`${name}\``);
  }
}
