import { type LayerState, type PushedImage, type PushOptions, pushAllTags, pushImage } from '../index.ts';
import { defineCommand } from './command.ts';
import { LayerLines } from './layer-lines.ts';
import { print, printError } from './output.ts';
import { safe } from './safe.ts';
import { TLS_VERIFY, tlsVerify } from './tls-verify.ts';

/** `tsbox push` */
export async function push(args: string[]): Promise<number> {
  const command = defineCommand({
    usage: 'push [OPTIONS] NAME[:TAG]',
    description:
      'Send an image to the registry that its name says. Layers that are there already are not sent.',
    examples: [
      ['tsbox push localhost:5000/web:1', 'to a registry of your own'],
      ['tsbox push --all-tags ghcr.io/owner/app', 'every tag of it'],
    ],
  })
    .argument('<name>')
    .option('-a, --all-tags', 'Push all tags of the repository')
    .option('-q, --quiet', 'Print only the name')
    .option(...TLS_VERIFY)
    .parse(args, { from: 'user' });
  const options = command.opts<{ allTags?: boolean; quiet?: boolean; tlsVerify?: string | boolean }>();
  const name = command.args[0] as string;
  const lines = new LayerLines(options.quiet !== true);
  const pushed = ({ name, tag, digest, size }: PushedImage) => {
    lines.end();
    print(options.quiet ? `${name}\n` : `${tag}: digest: ${digest} size: ${size}\n`);
  };
  const send: (name: string, options: PushOptions) => Promise<unknown> = options.allTags
    ? pushAllTags
    : pushImage;
  try {
    await send(name, {
      ...tlsVerify('push', options.tlsVerify),
      onRepository: (repository) => {
        if (!options.quiet && !options.allTags && name === repository) print('Using default tag: latest\n');
        if (!options.quiet) print(`The push refers to repository [${repository}]\n`);
      },
      onLayer: ({ digest, size }, state) => show(lines, digest, size, state),
      onPushed: pushed,
      onRetry: (why, seconds) => printError(`tsbox: ${safe(why)}; trying again in ${Math.ceil(seconds)} s\n`),
    });
  } finally {
    lines.end();
  }
  return 0;
}

function show(lines: LayerLines, digest: string, size: number, state: LayerState): void {
  if (state.state === 'pushing') lines.progress(digest, 'Pushing', state.sent, size);
  else if (state.state === 'mounted')
    lines.state(digest, `Mounted from ${state.from.replace(/^library\//, '')}`);
  else lines.state(digest, WORDS[state.state]);
}

/** Docker's. */
const WORDS = {
  preparing: 'Preparing',
  waiting: 'Waiting',
  exists: 'Layer already exists',
  pushed: 'Pushed',
};
