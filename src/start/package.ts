import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { Script } from 'node:vm';
import { openCache, readCache, writeCache } from './code-cache.ts';
import type { Load, Loaded } from './start.ts';

export interface PackageOptions {
  /** Of the bundle. */
  digest: string;
  /** Which of a file's code caches. */
  kind(file: string): string;
  /** Whether this command leaves a code cache of the file, where there is none. */
  worthwhile(file: string): boolean;
  /** Whether it has gone as most do: then it has needed the functions that most need. */
  worked(code: number): boolean;
}

/**
 * Loads the files of the bundle that lie beside this one.
 *
 * Half of what a small Node program costs is compiling its own source. V8 can keep the result: it is handed the code cache of an earlier
 * run, which holds the bytecode of every function that run needed. Whoever finds none compiles as usual and leaves one for the next. What is not needed takes time too,
 * so the commands that are used most have caches of their own.
 */
export function packageLoader({ digest, kind, worthwhile, worked }: PackageOptions): Load {
  const load: Load = (file) => {
    const bundle = join(__dirname, file);
    const name = `${file.slice(0, -4)}${kind(file)}-${digest}`;
    const cache = openCache(name, bundle);
    const text = openSync(bundle, 'r');
    const { size } = fstatSync(text);
    // Memory that is new costs more than reading into it, so there is one piece for both: when the text is a string, the cache may have it.
    const memory = Buffer.allocUnsafeSlow(Math.max(BEFORE.length + size + AFTER.length, cache?.half ?? 0));
    const start = memory.write(BEFORE, 'latin1');
    const end = start + readSync(text, memory, start, size, 0);
    closeSync(text);
    // Latin-1 because the bundle is ASCII: a string of one byte a character, and no decoding.
    const source = memory.toString('latin1', 0, end + memory.write(AFTER, end, 'latin1'));
    const cachedData = cache === undefined ? undefined : readCache(cache, memory);
    const script = new Script(source, { filename: bundle, ...(cachedData && { cachedData }) });
    // The build asks for one more, with what another run of the same command needs besides.
    const wanted =
      cachedData === undefined || script.cachedDataRejected || process.env.TSBOX_CODE_CACHE === 'more';
    if (wanted && worthwhile(file))
      process.once('exit', (code) => worked(code) && writeCache(name, digest, bundle, script));
    const loaded: { exports: Loaded } = { exports: {} };
    // The bundle loads its other file through this too.
    const requireOrLoad = (id: string) =>
      /^\.\/(oci-)?more\.cjs$/.test(id) ? load(id.slice(2)) : require(id);
    script.runInThisContext()(loaded.exports, requireOrLoad, loaded, bundle, __dirname);
    return loaded.exports;
  };
  return load;
}

// What Node puts around a module. It is put there in memory: a string that is made of several is copied once more.
const BEFORE = '(function (exports, require, module, __filename, __dirname) {';
const AFTER = '\n})';
