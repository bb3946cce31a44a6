#!/usr/bin/env -S node --
/*
 * The `tsbox` command: starts the bundle of src/cli/ in the fewest milliseconds.
 *
 * Half of what a small Node program costs is compiling its own source. V8 can keep the result: this file hands it the code cache of an earlier
 * run, which holds the bytecode of every function that run needed. A cache fits one version of Node, one architecture and
 * one bundle, and all three are in its name; whoever finds none compiles as usual and leaves one for the next.
 *
 * V8 does check a cache's version and length but not, in release builds, its content: one flipped bit makes Node crash. A checksum would cost more
 * than the cache saves (loading zlib or crypto takes 3 to 6 ms), so the file holds the cache twice, and comparing the
 * halves is a memcmp. And bytecode is code: a cache that somebody else could have written is not used.
 *
 * The `--` in the first line is there because Node reads a file named by --env-file wherever that stands among the arguments, also behind the
 * script's name, and takes NODE_OPTIONS from it: without, `tsbox run --env-file FILE` would run as root what FILE says.
 */
'use strict';
const {
  closeSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  unlinkSync,
  writeSync,
} = require('node:fs');
const { join } = require('node:path');
const { Script } = require('node:vm');

// The build puts the digest of the bundle here.
const digest = 'BUNDLE_DIGEST';
const suffix = `-${process.version}-${process.arch}.cache`;
// Where the package cannot be written to, the store keeps the cache.
const directories = [join(__dirname, 'cache'), join(process.env.TSBOX_ROOT || '/var/lib/tsbox', 'cache')];

load('cli.cjs', () => {
  // A run that worked is the one worth remembering: `--version` would leave a cache without the functions of `run`.
  const [, , command, ...options] = process.argv;
  return command === 'run' && !options.includes('--help');
});

/** Evaluates a file of the bundle; the bundle loads its other file through this too. */
function load(file, worthwhile) {
  const bundle = join(__dirname, file);
  const name = `${file.slice(0, -4)}-${digest}${suffix}`;
  const cachedData = readCache(name, bundle);
  // Latin-1 because the bundle is ASCII: a string of one byte a character, and no decoding.
  const source = `(function (exports, require, module, __filename, __dirname) {${readFileSync(bundle, 'latin1')}\n})`;
  const script = new Script(source, { filename: bundle, cachedData });
  if ((cachedData === undefined || script.cachedDataRejected) && worthwhile())
    process.once('exit', (code) => code < 125 && writeCache(name, bundle, script));
  const loaded = { exports: {} };
  const requireOrLoad = (id) => (id === './more.cjs' ? load('more.cjs', () => true) : require(id));
  script.runInThisContext()(loaded.exports, requireOrLoad, loaded, bundle, __dirname);
  return loaded.exports;
}

function readCache(name, bundle) {
  for (const directory of directories) {
    const file = join(directory, name);
    try {
      const status = statSync(file, { throwIfNoEntry: false });
      if (status === undefined) continue;
      // Where nobody else can write to the directory, it is still the same file when it is read.
      ours(status, bundle);
      ours(statSync(directory), bundle);
      const twice = readFileSync(file);
      const half = twice.subarray(0, twice.length >> 1);
      if (half.equals(twice.subarray(half.length))) return half;
    } catch {
      // As good as none.
    }
  }
}

/** Throws unless only root, we, or the owner of the bundle (whose code we run in any case) can write to it. */
function ours(stat, bundle) {
  const trusted = stat.uid === 0 || stat.uid === process.geteuid() || stat.uid === statSync(bundle).uid;
  if (!trusted || (stat.mode & 0o022) !== 0) throw new Error('not ours');
  return stat;
}

function writeCache(name, bundle, script) {
  let data;
  for (const directory of directories) {
    try {
      mkdirSync(directory, { recursive: true, mode: 0o755 });
      ours(statSync(directory), bundle);
      data ??= script.createCachedData();
      const aside = join(directory, `.${name}.${process.pid}`);
      const file = openSync(aside, 'wx', 0o644);
      try {
        if (writeSync(file, data) + writeSync(file, data) !== 2 * data.length) throw new Error('disk full');
        fsyncSync(file);
        renameSync(aside, join(directory, name));
      } catch (error) {
        unlinkSync(aside);
        throw error;
      } finally {
        closeSync(file);
      }
      for (const other of readdirSync(directory)) {
        if (other.endsWith(suffix) && !other.includes(digest)) unlinkSync(join(directory, other));
      }
      return;
    } catch {
      // A read-only installation, a full disk: the next directory, or no cache. The command itself went well.
    }
  }
}
