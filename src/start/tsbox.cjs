#!/usr/bin/env -S node --
/*
 * The `tsbox` command: starts the bundle of src/cli/ in the fewest milliseconds.
 *
 * Half of what a small Node program costs is compiling its own source. V8 can keep the result: this file hands it the code cache of an earlier
 * run, which holds the bytecode of every function that run needed. A cache fits one version of Node, one architecture and
 * one bundle, and all three are in its name; whoever finds none compiles as usual and leaves one for the next. What is not needed takes time too,
 * so the commands that are used most have caches of their own.
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
  fstatSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  readSync,
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

// What Node puts around a module. It is put there in memory: a string that is made of several is copied once more.
const BEFORE = '(function (exports, require, module, __filename, __dirname) {';
const AFTER = '\n})';

// Which caches: nothing for `run` in the foreground and for all that have none of their own.
const kind = kindOfCommand();
const kept = keptPlan();
if (kept?.there) {
  const { again, leave } = load(isAlone() ? 'again.cjs' : 'again-network.cjs', () => true);
  again(kept.file, kept.key).then((code) =>
    code === undefined ? start() : process.nextTick(() => leave(code)),
  );
} else start();

function start() {
  // Where the bundle may leave the plan for the next time.
  if (kept !== undefined) globalThis[Symbol.for('tsbox.kept')] = kept;
  load('cli.cjs', worthwhile);
}

/** Whether the container is in no network, as far as can be told from here: the bundle for those is half as large. With the wrong one it runs in the usual way. */
function isAlone() {
  const text = process.argv.join('\n');
  return /\n--network[=\n](none|host)\n/.test(text);
}

function worthwhile() {
  // A run that worked is the one worth remembering: `--version` would leave a cache without the functions of `run`.
  const [, , command, ...options] = process.argv;
  if (kind !== '') return !options.includes('--help');
  return command === 'run' && !options.includes('--help');
}

function kindOfCommand() {
  const [, , command, ...options] = process.argv;
  if (command === 'exec' || command === 'ps') return `-${command}`;
  // It may be one of the container's program: then it is the wrong cache, and takes a few milliseconds longer.
  return command === 'run' && options.some((word) => /^(--detach|-[it]*d[it]*)$/.test(word)) ? '-run-d' : '';
}

/**
 * Where the plan of this command line is, or would be: a name made of the command line, of which kinds its streams are, and of the bundle. Names may
 * collide, so the key is in the file too. An empty file says only that the command line was there before.
 */
function keptPlan() {
  const [, , command, ...options] = process.argv;
  if (command !== 'run' || process.env.TSBOX_KEEP_PLANS === '0' || process.geteuid() !== 0) return undefined;
  const key = JSON.stringify([digest, options, [0, 1, 2].map(kindOf)]);
  if (key.length > 4096) return undefined;
  // FNV-1a, twice: loading crypto takes longer than all that is to be gained.
  let [a, b] = [0x811c9dc5, 0x01000193];
  for (let at = 0; at < key.length; at++) {
    const unit = key.charCodeAt(at);
    a = Math.imul(a ^ unit, 0x01000193);
    b = Math.imul(b ^ unit, 0x85ebca6b) ^ (b >>> 15);
  }
  const name = [a, b].map((half) => (half >>> 0).toString(16).padStart(8, '0')).join('');
  const file = join(directories[1], 'plans', name);
  try {
    return { file, key, there: statSync(file, { throwIfNoEntry: false })?.size > 0 };
  } catch {
    return undefined;
  }
}

/** A pipe, /dev/null (1:3) and its like the program gets as they are; what passes through us is the same to the plan. */
function kindOf(descriptor) {
  try {
    const stat = fstatSync(descriptor);
    return stat.isFIFO() || stat.rdev === 0x103 ? 1 : 0;
  } catch {
    return 0;
  }
}

/** Evaluates a file of the bundle; the bundle loads its other file through this too. */
function load(file, worthwhile) {
  const bundle = join(__dirname, file);
  const name = `${file.slice(0, -4)}${file.startsWith('again') ? '' : kind}-${digest}${suffix}`;
  const cache = openCache(name, bundle);
  const text = openSync(bundle);
  const { size } = fstatSync(text);
  // Memory that is new costs more than reading into it, so there is one piece for both: when the text is a string, the cache may have it.
  const memory = Buffer.allocUnsafeSlow(Math.max(BEFORE.length + size + AFTER.length, cache?.half ?? 0));
  const start = memory.latin1Write(BEFORE);
  const end = start + readSync(text, memory, start, size, 0);
  closeSync(text);
  // Latin-1 because the bundle is ASCII: a string of one byte a character, and no decoding.
  const source = memory.latin1Slice(0, end + memory.latin1Write(AFTER, end));
  const cachedData = cache === undefined ? undefined : readCache(cache, memory);
  const script = new Script(source, { filename: bundle, cachedData });
  // The build asks for one more, with what another run of the same command needs besides.
  const wanted =
    cachedData === undefined || script.cachedDataRejected || process.env.TSBOX_CODE_CACHE === 'more';
  if (wanted && worthwhile()) process.once('exit', (code) => code < 125 && writeCache(name, bundle, script));
  const loaded = { exports: {} };
  const requireOrLoad = (id) =>
    id === './more.cjs' ? load('more.cjs', () => kind === '' || worthwhile()) : require(id);
  script.runInThisContext()(loaded.exports, requireOrLoad, loaded, bundle, __dirname);
  return loaded.exports;
}

/** The first cache that nobody could have put there who should not: its descriptor, and half its size. */
function openCache(name, bundle) {
  for (const directory of directories) {
    let file;
    try {
      // Not by an exception: one costs more than all else here.
      if (statSync(directory, { throwIfNoEntry: false }) === undefined) continue;
      file = openSync(join(directory, name));
      const { size } = ours(fstatSync(file), bundle);
      ours(statSync(directory), bundle);
      return { file, half: size >> 1 };
    } catch {
      // As good as none.
      if (file !== undefined) closeSync(file);
    }
  }
}

/** The first half, if the second is equal. The second is read in pieces, for the sake of memory again. */
function readCache({ file, half }, memory) {
  try {
    if (readSync(file, memory, 0, half, 0) !== half) return undefined;
    const piece = Buffer.allocUnsafeSlow(64 * 1024);
    for (let at = 0; at < half; ) {
      const count = readSync(file, piece, 0, Math.min(piece.length, half - at), half + at);
      if (count === 0 || piece.compare(memory, at, at + count, 0, count) !== 0) return undefined;
      at += count;
    }
    return memory.subarray(0, half);
  } catch {
    return undefined;
  } finally {
    closeSync(file);
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
