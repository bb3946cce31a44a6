import { type ImageDetails, inspectImage } from '../index.ts';
import { defineCommand } from './command.ts';
import { formatValue } from './format.ts';
import { print } from './output.ts';
import { report } from './report.ts';
import { safe } from './safe.ts';

/** `tsbox image inspect` */
export async function imageInspect(args: string[]): Promise<number> {
  const command = defineCommand({
    usage: 'image inspect [OPTIONS] IMAGE…',
    description: "Show all that is known of images, as JSON or by a template, with Docker's names.",
    examples: [
      ['tsbox image inspect alpine', 'everything'],
      ["tsbox image inspect --format '{{json .Config.Env}}' alpine", 'a part of it'],
      [`tsbox image inspect -f '{{index .Config.Labels "a.b"}}' alpine`, 'a label'],
    ],
  })
    .argument('<image...>')
    .option('-f, --format <format>', 'json, or a Go template with fields like {{.Config.Cmd}}')
    .parse(args, { from: 'user' });
  const { format } = command.opts<{ format?: string }>();
  const found: ImageDetails[] = [];
  let exitCode = 0;
  for (const name of command.args) {
    try {
      found.push(await inspectImage(name));
    } catch (error) {
      // Docker's: scripts ask by it whether an image is there.
      exitCode = Math.max(exitCode, exitCodeOf(error));
    }
  }
  if (format === undefined || format === 'json')
    print(`${safe(JSON.stringify(found, undefined, format === undefined ? 4 : 0))}\n`);
  else print(found.map((details) => formatValue('image inspect', format, details)).join(''));
  return exitCode;
}

function exitCodeOf(error: unknown): number {
  const exitCode = report(error);
  return (error as { code?: unknown }).code === 'IMAGE_NOT_FOUND' ? 1 : exitCode;
}
