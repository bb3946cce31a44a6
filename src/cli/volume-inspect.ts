import { inspectVolume, type Volume } from '../index.ts';
import { defineCommand } from './command.ts';
import { forEachName } from './each.ts';
import { formatValue } from './format.ts';
import { print } from './output.ts';
import { safe } from './safe.ts';

/** `tsbox volume inspect` */
export async function volumeInspect(args: string[]): Promise<number> {
  const command = defineCommand({
    usage: 'volume inspect [OPTIONS] VOLUME…',
    description: 'Show all that is known of volumes.',
    examples: [["tsbox volume inspect -f '{{.Mountpoint}}' data", 'where its files are']],
  })
    .argument('<volume...>')
    .option('-f, --format <format>', 'json, or a Go template with fields like {{.Mountpoint}}')
    .parse(args, { from: 'user' });
  const { format } = command.opts<{ format?: string }>();
  const found: object[] = [];
  const exitCode = await forEachName(command.args, async (name) => {
    const described = describeVolume(await inspectVolume(name));
    if (format === undefined) found.push(described);
    else print(formatValue('volume inspect', format, described));
  });
  if (format === undefined) print(`${safe(JSON.stringify(found, null, 4))}\n`);
  return exitCode === 0 ? 0 : 1;
}

/** With Docker's names, in Docker's order. */
export function describeVolume({ name, driver, created, labels, options, mountpoint }: Volume): object {
  return {
    CreatedAt: created,
    Driver: driver,
    Labels: labels,
    Mountpoint: mountpoint,
    Name: name,
    Options: Object.keys(options).length > 0 ? options : null,
    Scope: 'local',
  };
}
