/*
 * The start of the single executable: what src/start/tsbox.cjs is for the package. Under the name `tsbox-oci` it is the other command.
 *
 * The bundle and its code cache are in the executable, which is trusted as a whole. What the kernel must be given as a file (the
 * native programs, koffi's binary, the default image) is unpacked once into a directory that is named by the content of
 * all of it and laid out as the package is, so that the code finds everything where it always is.
 */
'use strict';
const {
  chmodSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  renameSync,
  rmSync,
  writeFileSync,
} = require('node:fs');
const { createRequire } = require('node:module');
const { basename, dirname, join } = require('node:path');
const { getRawAsset } = require('node:sea');
const { Script } = require('node:vm');

const { digest, files, build, caches } = JSON.parse(text('manifest.json'));
const isRuntime = basename(process.argv0) === 'tsbox-oci';
const root = unpacked();
const requireFile = createRequire(join(root, 'dist', 'cli.cjs'));
if (isRuntime) {
  // Of what is kept on disk, by which tsbox.
  globalThis[Symbol.for('tsbox.build')] = build;
  load('oci.cjs', verb());
} else load('cli.cjs', '');

/** Which of the code caches: one may be the name of a container, and then it is the wrong one, and takes a few milliseconds longer. */
function verb() {
  const found = process.argv.find((word) => /^(create|start|state|kill|delete|exec)$/.test(word));
  return found === undefined ? '' : `-${found}`;
}

/** Evaluates a file of the bundle; the bundle loads its other file through this too. */
function load(file, kind) {
  const bundle = join(root, 'dist', file);
  const name = file.slice(0, -4);
  const cache = caches.includes(`${name}${kind}.cache`) ? `${name}${kind}.cache` : `${name}.cache`;
  const source = `(function (exports, require, module, __filename, __dirname) {${text(file)}\n})`;
  const script = new Script(source, {
    filename: bundle,
    cachedData: Buffer.from(getRawAsset(cache)),
  });
  const loaded = { exports: {} };
  const requireOrLoad = (id) =>
    id === './more.cjs' || id === './oci-more.cjs' ? load(id.slice(2), kind) : requireFile(id);
  script.runInThisContext()(loaded.exports, requireOrLoad, loaded, bundle, dirname(bundle));
  return loaded.exports;
}

/** Latin-1, because ours are ASCII: no decoding, and a string of one byte a character. */
function text(name) {
  return Buffer.from(getRawAsset(name)).toString('latin1');
}

/** The directory with the files, which are written by whoever comes first. Programs in it are run as root: nobody else may write there. */
function unpacked() {
  const parent =
    process.geteuid() === 0 ? join(process.env.TSBOX_ROOT || '/var/lib/tsbox', 'executable') : personal();
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
      writeFileSync(file, Buffer.from(getRawAsset(path)), { mode, flush: true });
      chmodSync(file, mode);
    }
    renameSync(aside, directory);
  } catch (error) {
    rmSync(aside, { recursive: true, force: true });
    // Another tsbox was faster.
    if (error.code !== 'ENOTEMPTY' && error.code !== 'EEXIST')
      fail(`cannot unpack into ${parent}: ${error.message}`);
  }
  return ours(directory, lstatSync(directory));
}

function personal() {
  const { HOME, XDG_CACHE_HOME } = process.env;
  if (!XDG_CACHE_HOME && !HOME) fail('needs HOME, to unpack its programs into ~/.cache/tsbox');
  return join(XDG_CACHE_HOME || join(HOME, '.cache'), 'tsbox');
}

function ours(directory, stat) {
  if (stat.isDirectory() && stat.uid === process.geteuid() && (stat.mode & 0o022) === 0) return directory;
  fail(`will not run programs from ${directory}: others could have put them there; remove it`);
}

function fail(message) {
  process.stderr.write(`${isRuntime ? 'tsbox-oci' : 'tsbox'}: ${message}\n`);
  process.exit(isRuntime ? 1 : 125);
}
