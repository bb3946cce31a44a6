import { tagImage } from '../index.ts';
import { defineCommand } from './command.ts';

/** `tsbox tag` */
export async function tag(args: string[]): Promise<number> {
  const command = defineCommand({
    usage: 'tag SOURCE_IMAGE[:TAG] TARGET_IMAGE[:TAG]',
    description: 'Give an image one more name. An image that had the name keeps its ID.',
    examples: [
      ['tsbox tag alpine alpine:stable', 'another tag'],
      ['tsbox tag alpine localhost:5000/alpine', 'for a push to a registry'],
    ],
  })
    .argument('<source>')
    .argument('<target>')
    .parse(args, { from: 'user' });
  const [source = '', target = ''] = command.args;
  await tagImage(source, target);
  return 0;
}
