import { type ArchiveFormat, saveImages, TsboxError } from '../index.ts';
import { defineCommand } from './command.ts';
import { Progress } from './progress.ts';
import { usageError } from './usage.ts';
import { writeFileAside, writeToStdout } from './write-stream.ts';

/** `tsbox save` */
export async function save(args: string[]): Promise<number> {
  const command = defineCommand({
    usage: 'save [OPTIONS] IMAGE…',
    description:
      'Save images to an archive, on standard output unless -o names a file. A name without a tag means all its tags.',
    examples: [
      ['tsbox save -o alpine.tar alpine', 'to a file'],
      ['tsbox save alpine web:1 | gzip > images.tar.gz', 'two images, compressed'],
      ['tsbox save --format oci-archive -o web.tar web:1', 'an OCI image layout'],
    ],
  })
    .argument('<image...>')
    .option('-o, --output <file>', 'Write to a file')
    .option('--format <format>', `${FORMATS.join(' or ')}`, 'docker-archive')
    .parse(args, { from: 'user' });
  const { output, format } = command.opts<{ output?: string; format: string }>();
  if (!isFormat(format))
    throw usageError('save', `--format is \`${format}\`, which is none of ${FORMATS.join(', ')}`);
  if (output === undefined && process.stdout.isTTY) {
    throw new TsboxError('TERMINAL', 'an archive is not written to a terminal', {
      advice: 'use -o FILE, or redirect standard output',
    });
  }
  const progress = new Progress('saving', output !== undefined);
  const archive = await saveImages(command.args, { format, onProgress: progress.update });
  try {
    if (output === undefined) await writeToStdout(archive);
    else await writeFileAside(output, archive);
  } finally {
    progress.clear();
  }
  return 0;
}

const FORMATS: readonly ArchiveFormat[] = ['docker-archive', 'oci-archive'];

function isFormat(text: string): text is ArchiveFormat {
  return (FORMATS as readonly string[]).includes(text);
}
