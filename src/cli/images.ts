import { listImages, type StoredImage } from '../index.ts';
import { defineCommand } from './command.ts';
import { type Columns, formatRows, type Row } from './format.ts';
import { print } from './output.ts';
import { ago, decimalSize } from './units.ts';

const COLUMNS: Columns = [
  ['REPOSITORY', 'Repository'],
  ['TAG', 'Tag'],
  ['IMAGE ID', 'ID'],
  ['CREATED', 'CreatedSince'],
  ['SIZE', 'Size'],
];

/** `tsbox images` */
export async function images(args: string[]): Promise<number> {
  const options = defineCommand({
    usage: 'images [OPTIONS]',
    description: 'List the images in the store.',
    examples: [
      ['tsbox images', 'a table'],
      ['tsbox images -q', 'only the IDs'],
      ["tsbox images --format '{{.Repository}} {{.Size}}'", 'some columns'],
    ],
  })
    .option('-q, --quiet', 'Print only the IDs')
    .option('--no-trunc', 'Print IDs in full')
    .option('--format <format>', 'json, or text with {{.Column}} in it')
    .parse(args, { from: 'user' })
    .opts<{ quiet?: boolean; trunc: boolean; format?: string }>();
  const rows = listImages().map((image) => rowOf(image, options.trunc));
  print(
    options.quiet
      ? rows.map((row) => `${row.ID}\n`).join('')
      : formatRows('images', COLUMNS, rows, options.format),
  );
  return 0;
}

function rowOf(image: StoredImage, short: boolean): Row {
  const [repository, tag] = splitName(image.name);
  const id = image.id.replace(/^sha256:/, '');
  return {
    Repository: repository,
    Tag: tag,
    ID: short ? id.slice(0, 12) : `sha256:${id}`,
    Digest: image.digest,
    CreatedSince: ago(image.created),
    CreatedAt: new Date(image.created).toISOString(),
    Size: decimalSize(image.size),
  };
}

/** The last colon separates a tag only after the last slash: `host:5000/name` has none. */
function splitName(name: string | undefined): [repository: string, tag: string] {
  if (!name) return ['<none>', '<none>'];
  const colon = name.lastIndexOf(':');
  return colon > name.lastIndexOf('/') ? [name.slice(0, colon), name.slice(colon + 1)] : [name, 'latest'];
}
