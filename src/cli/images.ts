import { filterImages, type StoredImage } from '../index.ts';
import { collect, defineCommand } from './command.ts';
import { type Columns, formatRows, type Row } from './format.ts';
import { readImageFilters } from './image-filters.ts';
import { print, printError } from './output.ts';
import { safe } from './safe.ts';
import { ago, decimalSize, timestamp } from './units.ts';

/** `tsbox images` */
export async function images(args: string[]): Promise<number> {
  const command = defineCommand({
    usage: 'images [OPTIONS] [REPOSITORY[:TAG]]',
    description: 'List the images in the store, the newest first.',
    examples: [
      ['tsbox images', 'a table'],
      ["tsbox images 'web-*'", 'those whose names match'],
      ['tsbox images -q --filter dangling=true', 'IDs of images that have no name'],
      ["tsbox images --format '{{.Repository}} {{.Size}}'", 'some columns'],
    ],
  })
    .argument('[repository]')
    .option('-a, --all', "Accepted for Docker's sake: there are no intermediate images here")
    .option('--digests', 'Show digests')
    .option(
      '-f, --filter <filter>',
      'before, dangling, label, reference, since or until, as KEY=VALUE',
      collect,
    )
    .option('--format <format>', 'json, or a Go template with columns like {{.ID}}')
    .option('--no-trunc', 'Print IDs in full')
    .option('-q, --quiet', 'Print only the IDs')
    .parse(args, { from: 'user' });
  const options = command.opts<{
    digests?: boolean;
    filter?: string[];
    format?: string;
    trunc: boolean;
    quiet?: boolean;
  }>();
  const [repository] = command.args;
  const given = [...(options.filter ?? []), ...(repository === undefined ? [] : [`reference=${repository}`])];
  const filters = await readImageFilters('images', given, FILTERS);
  const found = await filterImages(filters, (name, error) =>
    printError(`tsbox: image \`${safe(name)}\` is left out: ${safe(error.message)}\n`),
  );
  const rows = found.map((image) => imageRow(image, options.trunc));
  print(
    options.quiet
      ? rows.map((row) => `${row.ID}\n`).join('')
      : formatRows('images', columns(options.digests === true), rows, options.format),
  );
  return 0;
}

const FILTERS = ['before', 'dangling', 'label', 'reference', 'since', 'until'];

function columns(digests: boolean): Columns {
  return [
    ['REPOSITORY', 'Repository'],
    ['TAG', 'Tag'],
    ...(digests ? ([['DIGEST', 'Digest']] as const) : []),
    ['IMAGE ID', 'ID'],
    ['CREATED', 'CreatedSince'],
    ['SIZE', 'Size'],
  ];
}

/** With the names that Docker's `--format` has for them. */
export function imageRow(image: StoredImage, short: boolean): Row {
  const { repository, tag } = splitName(image.name);
  const id = image.id.replace(/^sha256:/, '');
  return {
    Containers: 'N/A',
    CreatedAt: timestamp(image.created),
    CreatedSince: ago(image.created),
    Digest: image.digest,
    ID: short ? id.slice(0, 12) : `sha256:${id}`,
    Repository: repository,
    SharedSize: 'N/A',
    Size: decimalSize(image.size),
    Tag: tag,
    UniqueSize: 'N/A',
  };
}

/** The last colon separates a tag only after the last slash: `host:5000/name` has none. */
function splitName(name: string): { repository: string; tag: string } {
  if (name === '') return { repository: '<none>', tag: '<none>' };
  if (name.includes('@')) return { repository: name.slice(0, name.indexOf('@')), tag: '<none>' };
  const colon = name.lastIndexOf(':');
  if (colon <= name.lastIndexOf('/')) return { repository: name, tag: '<none>' };
  return { repository: name.slice(0, colon), tag: name.slice(colon + 1) };
}
