import { inspectNetwork } from '../index.ts';
import { defineCommand } from './command.ts';
import { forEachName } from './each.ts';
import { formatValue } from './format.ts';
import { describeNetwork } from './network-description.ts';
import { print } from './output.ts';
import { safe } from './safe.ts';

/** `tsbox network inspect` */
export async function networkInspect(args: string[]): Promise<number> {
  const command = defineCommand({
    usage: 'network inspect [OPTIONS] NETWORK…',
    description: 'Show all that is known of networks, and who is in them.',
    examples: [
      ["tsbox network inspect -f '{{(index .IPAM.Config 0).Subnet}}' backend", 'its addresses'],
      ["tsbox network inspect -f '{{range .Containers}}{{.Name}} {{end}}' backend", 'who is in it'],
    ],
  })
    .argument('<network...>')
    .option('-f, --format <format>', 'json, or a Go template with fields like {{.Driver}}')
    .option('-v, --verbose', 'Changes nothing: there is no more to tell')
    .parse(args, { from: 'user' });
  const { format } = command.opts<{ format?: string }>();
  const found: object[] = [];
  const exitCode = await forEachName(command.args, async (name) => {
    const described = describeNetwork(await inspectNetwork(name));
    if (format === undefined || format === 'json') found.push(described);
    else print(formatValue('network inspect', format, described));
  });
  if (format === undefined || format === 'json')
    print(`${safe(JSON.stringify(found, null, format === undefined ? 4 : 0))}\n`);
  return exitCode === 0 ? 0 : 1;
}
