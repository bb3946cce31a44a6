import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type LayerSource, type Layout, readLayout, writeLayout } from '../../fixtures/oci-layout.ts';
import { PACK, UPPER_LAYERS } from './image-recipe.ts';
import { machineNetwork } from './network.ts';

/** Images of real packages, made with mmdebstrap. */
export interface TestImages {
  /** All in one layer: Debian's base files, busybox as its shell, and every kind of entry. */
  one: Layout;
  /** The same and more in five: the base, then see image-recipe.ts. */
  five: Layout;
  /** The five with one layer in each compression: gzip, none, zstd, … */
  mixed: Layout;
  /** The uncompressed archives of the five, the lowest first. */
  tars: string[];
}

/** The images, or why there are none. They are made once, in some ten seconds, and kept outside the checkout. */
export function testImages(): TestImages | string {
  if (process.geteuid?.() !== 0) return 'needs root';
  const programs = ['mmdebstrap', 'setcap', 'setfattr', 'zstd', 'skopeo'];
  const missing = programs.filter((name) => spawnSync('sh', ['-c', `command -v ${name}`]).status !== 0);
  if (missing.length > 0) return `needs ${missing.join(', ')}: scripts/setup --test`;
  const directory = join(tmpdir(), `tsbox-test-images-${recipeKey()}`);
  try {
    if (!existsSync(directory)) build(directory);
  } catch (error) {
    const said = String((error as { stderr?: Buffer }).stderr ?? error);
    const lines = said.split('\n').filter((line) => /^E: |error|Error/.test(line));
    return `mmdebstrap makes no image, perhaps for want of a package mirror: ${lines.slice(-2).join(' ') || said.slice(-300)}`;
  }
  const tars = UPPER_LAYERS.map((_, index) => join(directory, `${index + 1}.tar`));
  const [one, five, mixed] = ['one', 'five', 'mixed'].map((name) => readLayout(join(directory, name)));
  return { one, five, mixed, tars: [join(directory, '0.tar'), ...tars] } as TestImages;
}

/** Pushes a layout with skopeo, which is not ours. @returns the digest that the registry then has for it */
export function pushLayout(
  layout: Layout,
  to: string,
  { auth, flags = [] }: { auth?: { user: string; password: string }; flags?: string[] } = {},
): string {
  const copy = ['copy', '--quiet', '--preserve-digests', '--dest-tls-verify=false', ...flags];
  const credentials = auth ? ['--dest-creds', `${auth.user}:${auth.password}`] : [];
  execFileSync('skopeo', [...copy, ...credentials, `oci:${layout.path}:latest`, `docker://${to}`], {
    stdio: 'pipe',
  });
  return layout.descriptor.digest;
}

function build(directory: string): void {
  const work = mkdtempSync(`${directory}.part-`);
  try {
    bootstrap(join(work, '0.tar'));
    for (const [index, { script, only }] of UPPER_LAYERS.entries()) {
      const tree = join(work, `tree${index + 1}`);
      mkdirSync(tree, { mode: 0o755 });
      shell(`umask 022; ${script}`, tree);
      // Times that the recipe has not set are the same in every run.
      shell(STILL, tree);
      shell(PACK, tree, join(work, `${index + 1}.tar`), ...(only ?? ['.']));
      if (index > 0) rmSync(tree, { recursive: true });
    }
    // One archive of two: the second's entries follow the first's.
    shell('cp "$1/0.tar" "$1/all.tar" && tar --concatenate --file "$1/all.tar" "$1/1.tar"', work);
    rmSync(join(work, 'tree1'), { recursive: true });
    const tars = [0, 1, 2, 3, 4].map((index) => join(work, `${index}.tar`));
    const compressions = ['gzip', 'none', 'zstd', 'gzip', 'zstd'] as const;
    const mixed = tars.map((tar, index) => ({ tar, compression: compressions[index] }) as LayerSource);
    writeLayout(join(work, 'one'), { layers: [{ tar: join(work, 'all.tar') }], config: CONFIG });
    writeLayout(join(work, 'five'), { layers: tars.map((tar) => ({ tar })), config: CONFIG });
    writeLayout(join(work, 'mixed'), { layers: mixed, config: CONFIG });
    try {
      renameSync(work, directory);
    } catch (error) {
      // Another run was quicker.
      if ((error as NodeJS.ErrnoException).code !== 'ENOTEMPTY') throw error;
    }
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

const CONFIG = { Cmd: ['/bin/sh'], Env: ['PATH=/bin:/usr/bin', 'FROM=registry'], WorkingDir: '/kinds' };

const STILL =
  'find "$1" -depth -newermt 2024-01-01 ! -type l -exec touch -d 2023-01-01T00:00:00Z {} + && find "$1" -type l -newermt 2024-01-01 -exec touch -h -d 2023-01-01T00:00:00Z {} +';

/** A few packages unpacked, of the suite that this machine runs and from the mirrors that its apt is set up for. */
function bootstrap(tar: string): void {
  const release = readFileSync('/etc/os-release', 'utf8');
  const suite = /^VERSION_CODENAME=(\w+)/m.exec(release)?.[1] ?? 'bookworm';
  const sources = ['/etc/apt/sources.list', ...sourceFiles('/etc/apt/sources.list.d')].filter(
    (path) =>
      existsSync(path) && new RegExp(`^[^#]*\\s${suite}(\\s|$)`, 'm').test(readFileSync(path, 'utf8')),
  );
  const flags = ['--variant=extract', '--include=base-files,busybox-static,netbase', '--quiet'];
  const aptFlags = ['--aptopt=Acquire::Languages "none"', '--skip=output/mknod'];
  execFileSync(
    'nsenter',
    [`--net=${machineNetwork()}`, 'mmdebstrap', ...flags, ...aptFlags, suite, tar, ...sources],
    {
      env: { ...process.env, SOURCE_DATE_EPOCH: '1672531200', LC_ALL: 'C' },
      stdio: 'pipe',
    },
  );
}

function sourceFiles(directory: string): string[] {
  if (!existsSync(directory)) return [];
  return readdirSync(directory)
    .filter((name) => /\.(list|sources)$/.test(name))
    .map((name) => join(directory, name));
}

/** The recipe's own words: another recipe makes other images. */
function recipeKey(): string {
  const files = ['images.ts', 'image-recipe.ts'].map((name) => readFileSync(join(import.meta.dirname, name)));
  return createHash('sha256').update(Buffer.concat(files)).digest('hex').slice(0, 12);
}

function shell(script: string, ...args: string[]): void {
  execFileSync('sh', ['-ec', script, 'sh', ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, LC_ALL: 'C' },
  });
}
