import { parseReference, pullImage } from '../index.ts';
import { defineCommand } from './command.ts';
import { print } from './output.ts';
import { PullReport } from './pull-report.ts';
import { TLS_VERIFY, tlsVerify } from './tls-verify.ts';
import { usageError } from './usage.ts';

/** `tsbox pull` */
export async function pull(args: string[]): Promise<number> {
  const command = defineCommand({
    usage: 'pull [OPTIONS] NAME[:TAG|@DIGEST]',
    description: 'Get an image from a registry. Layers that are here already are not fetched.',
    examples: [
      ['tsbox pull alpine:3.20', 'from Docker Hub'],
      ['tsbox pull localhost:5000/web:1', 'from a registry of your own'],
      ['tsbox pull --platform linux/arm64 alpine', "not this machine's kind"],
    ],
  })
    .argument('<name>')
    .option('-q, --quiet', 'Print only the digest')
    .option(
      '--platform <os/arch[/variant]>',
      "What to pull of an image for several (default: this machine's)",
    )
    .option('--max-concurrent-downloads <number>', 'Layers downloaded at once (default 3)')
    .option(...TLS_VERIFY)
    .parse(args, { from: 'user' });
  const options = command.opts<{
    quiet?: boolean;
    platform?: string;
    maxConcurrentDownloads?: string;
    tlsVerify?: string | boolean;
  }>();
  const given = command.args[0] as string;
  const reference = parseReference(given);
  const quiet = options.quiet === true;
  if (!quiet && reference.tag === 'latest' && !given.endsWith(':latest'))
    print('Using default tag: latest\n');
  if (!quiet) print(`${reference.tag ?? reference.digest}: Pulling from ${reference.path}\n`);
  const report = new PullReport(reference.name, quiet, 'stdout');
  try {
    const { pulledDigest, isNew } = await pullImage(given, {
      ...tlsVerify('pull', options.tlsVerify),
      ...(options.platform !== undefined && { platform: options.platform }),
      ...concurrency(options.maxConcurrentDownloads),
      onProgress: report.event,
    });
    report.end();
    if (quiet) print(`${pulledDigest}\n`);
    else {
      const status = isNew ? 'Downloaded newer image for' : 'Image is up to date for';
      print(`Digest: ${pulledDigest}\nStatus: ${status} ${reference.name}\n${fullName(reference)}\n`);
    }
  } finally {
    report.end();
  }
  return 0;
}

/** With the registry, as Docker prints it last. */
function fullName({ registry, path, tag, digest }: ReturnType<typeof parseReference>): string {
  return `${registry}/${path}${tag === undefined ? `@${digest}` : `:${tag}`}`;
}

function concurrency(text: string | undefined): { concurrency?: number } {
  if (text === undefined) return {};
  const count = Number(text);
  if (!/^\d+$/.test(text) || count < 1 || count > 32)
    throw usageError(
      'pull',
      `--max-concurrent-downloads is a number from 1 to 32, not ${JSON.stringify(text)}`,
    );
  return { concurrency: count };
}
