import { inspectContainer, inspectImage, inspectNetwork, inspectVolume, TsboxError } from '../index.ts';
import { defineCommand } from './command.ts';
import { forEachName } from './each.ts';
import { formatValue } from './format.ts';
import { describeNetwork } from './network-description.ts';
import { print } from './output.ts';
import { safe } from './safe.ts';
import { usageError } from './usage.ts';
import { describeVolume } from './volume-inspect.ts';

/** `tsbox inspect`: containers, and images, networks and volumes where there is no container of the name, in that order. */
export async function inspect(args: string[]): Promise<number> {
  const command = defineCommand({
    usage: 'inspect [OPTIONS] NAME…',
    description: 'Show everything about containers, images, networks or volumes, as JSON.',
    examples: [
      ['tsbox inspect web', 'all of it'],
      ["tsbox inspect --format '{{.State.Pid}}' web", 'one thing'],
      ['tsbox inspect --type image alpine', 'an image that a container is named like'],
    ],
  })
    .argument('<name...>')
    .option('-f, --format <format>', 'json, or a Go template: {{.State.Status}}')
    .option('-s, --size', 'Also how large the files of a container are')
    .option('--type <container|image|network|volume>', 'Only one of these')
    .parse(args, { from: 'user' });
  const { format, size, type } = command.opts<{ format?: string; size?: boolean; type?: string }>();
  if (type !== undefined && !Object.hasOwn(LOOK_UP, type))
    throw usageError(
      'inspect',
      `--type ${JSON.stringify(type)}: not one of ${Object.keys(LOOK_UP).join(', ')}`,
    );
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
  if (type !== undefined) return await (LOOK_UP[type] as LookUp).find(name, size);
  for (const { find, missing } of Object.values(LOOK_UP)) {
    try {
      return await find(name, size);
    } catch (error) {
      if (!(error instanceof TsboxError) || !missing.includes(error.code)) throw error;
    }
  }
  throw new TsboxError('NO_OBJECT', `there is no container, image, network or volume \`${name}\``);
}

interface LookUp {
  find(name: string, size: boolean): Promise<object>;
  /** The codes of the errors where there is none. */
  missing: readonly string[];
}

/** In the order in which they are looked for. */
const LOOK_UP: Record<string, LookUp> = {
  container: { find: (name, size) => inspectContainer(name, { size }), missing: ['NO_CONTAINER'] },
  image: { find: inspectImage, missing: ['IMAGE_NOT_FOUND', 'BAD_REFERENCE'] },
  network: { find: async (name) => describeNetwork(await inspectNetwork(name)), missing: ['NO_NETWORK'] },
  volume: { find: async (name) => describeVolume(await inspectVolume(name)), missing: ['NO_VOLUME'] },
};
