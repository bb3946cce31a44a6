import { createVolume } from '../index.ts';
import { collect, defineCommand } from './command.ts';
import { print } from './output.ts';
import { pair } from './pair.ts';

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
    labels: Object.fromEntries(label.map((each) => pair('volume create', '--label', each))),
    options: Object.fromEntries(opt.map((each) => pair('volume create', '--opt', each))),
  });
  print(`${name}\n`);
  return 0;
}
