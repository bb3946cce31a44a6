import { createVolume } from '../index.ts';
import { collect, defineCommand } from './command.ts';
import { print } from './output.ts';
import { usageError } from './usage.ts';

/** `tsbox volume create` */
export async function volumeCreate(args: string[]): Promise<number> {
  const command = defineCommand({
    usage: 'volume create [OPTIONS] [NAME]',
    description: 'Make a volume. One that is there already stays as it is.',
    examples: [
      ['tsbox volume create data', 'then: tsbox run -v data:/var/lib/db …'],
      ['tsbox volume create -o type=none -o o=bind -o device=/srv/data data', 'a directory of the host'],
    ],
  })
    .argument('[name]')
    .option('-d, --driver <driver>', 'Only local')
    .option('--label <key[=value]>', 'Note something about the volume', collect)
    .option('-o, --opt <key=value>', 'Of the driver: type=none, o=bind, device=/DIRECTORY', collect)
    .parse(args, { from: 'user' });
  const {
    driver,
    label = [],
    opt = [],
  } = command.opts<{ driver?: string; label?: string[]; opt?: string[] }>();
  const { name } = await createVolume(command.args[0], {
    ...(driver !== undefined && { driver }),
    labels: Object.fromEntries(label.map((each) => pair('--label', each))),
    options: Object.fromEntries(opt.map((each) => pair('--opt', each))),
  });
  print(`${name}\n`);
  return 0;
}

function pair(flag: string, text: string): [string, string] {
  const equals = text.indexOf('=');
  if (text === '' || equals === 0)
    throw usageError('volume create', `${flag} ${JSON.stringify(text)}: the name is missing`);
  return equals < 0 ? [text, ''] : [text.slice(0, equals), text.slice(equals + 1)];
}
