import {
  chmodSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  renameSync,
  rmSync,
  type Stats,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { storeRoot } from '../kernel/store-root.ts';
import { asset } from './assets.ts';

/** What is in the executable. */
export interface Manifest {
  /** Of all files together. */
  digest: string;
  /** What must be files: their modes, by their path in the package, which is the asset's name too. */
  files: Record<string, number>;
  /** Of the bundle. */
  build: string;
  /** The code caches' names. */
  caches: string[];
}

/** The directory with the files, which are written by whoever comes first. Programs in it are run as root: nobody else may write there. */
export function unpacked({ digest, files }: Manifest, name: string): string {
  const fail = (message: string): never => {
    process.stderr.write(`${name}: ${message}\n`);
    return process.exit(name === 'tsbox' ? 125 : 1);
  };
  const ours = (directory: string, stat: Stats): string => {
    if (stat.isDirectory() && stat.uid === process.geteuid?.() && (stat.mode & 0o022) === 0) return directory;
    return fail(`will not run programs from ${directory}: others could have put them there; remove it`);
  };
  const parent =
    process.geteuid?.() === 0
      ? join(storeRoot(), 'executable')
      : (personal() ?? fail('needs HOME, to unpack its programs into ~/.cache/tsbox'));
  const directory = join(parent, digest);
  const there = lstatSync(directory, { throwIfNoEntry: false });
  if (there !== undefined) return ours(directory, there);

  mkdirSync(parent, { recursive: true, mode: 0o700 });
  ours(parent, lstatSync(parent));
  // Complete under another name first: whoever sees the directory sees all of it.
  const aside = mkdtempSync(join(parent, '.unpacking-'));
  try {
    for (const [path, mode] of Object.entries(files)) {
      const file = join(aside, path);
      mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
      writeFileSync(file, asset(path), { mode, flush: true });
      chmodSync(file, mode);
    }
    renameSync(aside, directory);
  } catch (error) {
    rmSync(aside, { recursive: true, force: true });
    const { code, message } = error as NodeJS.ErrnoException;
    // Another tsbox was faster.
    if (code !== 'ENOTEMPTY' && code !== 'EEXIST') fail(`cannot unpack into ${parent}: ${message}`);
  }
  return ours(directory, lstatSync(directory));
}

function personal(): string | undefined {
  const { HOME, XDG_CACHE_HOME } = process.env;
  if (!XDG_CACHE_HOME && !HOME) return undefined;
  return join(XDG_CACHE_HOME || join(HOME as string, '.cache'), 'tsbox');
}
