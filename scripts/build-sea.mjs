/**
 * `npm run build:sea`: tsbox and Node as one executable, dist/sea/tsbox, for a machine without Node; dist/sea/tsbox-oci is a link to it, by
 * whose name it knows that it is to be the runtime.
 *
 *   node scripts/build-sea.mjs                  with the Node that runs this
 *   node scripts/build-sea.mjs --node FILE      with another one, of the same architecture
 *   node scripts/build-sea.mjs --output DIR     elsewhere, of what has been built already
 *
 * https://nodejs.org/api/single-executable-applications.html
 */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { parseArgs } from 'node:util';
import { WORKERS } from './build/bundle.mjs';
import { root } from './build/files.mjs';
import { bundleStart } from './build/start.mjs';
import { writeCodeCache } from './build/warm.mjs';

const { values } = parseArgs({
  options: { node: { type: 'string', default: process.execPath }, output: { type: 'string' } },
});
const output = values.output ?? join('dist', 'sea');
const BUNDLES = ['cli.cjs', 'more.cjs', 'again.cjs', 'oci.cjs', 'oci-more.cjs'];
const node = (...args) => execFileSync(values.node, args, { cwd: root, encoding: 'utf8' });

process.chdir(root);
if (values.output === undefined) {
  execFileSync(process.execPath, ['scripts/build.mjs'], { stdio: 'inherit' });
  writeCodeCache(values.node);
}
rmSync(output, { recursive: true, force: true });
mkdirSync(output, { recursive: true });

const files = packageFiles();
const bundle = Object.fromEntries(BUNDLES.map((file) => [file, join('dist', file)]));
const caches = codeCaches();
const build = digestOf(bundle).slice(0, 16);
writeFileSync(
  join(output, 'manifest.json'),
  JSON.stringify({ digest: digestOf(files), files: modesOf(files), build, caches: Object.keys(caches) }),
);
writeFileSync(join(output, 'start.cjs'), await bundleStart('sea', build));
const config = {
  main: join(output, 'start.cjs'),
  output: join(output, 'blob'),
  disableExperimentalSEAWarning: true,
  useCodeCache: true,
  assets: {
    'manifest.json': join(output, 'manifest.json'),
    ...bundle,
    ...caches,
    ...files,
  },
};
writeFileSync(join(output, 'config.json'), JSON.stringify(config));
node('--experimental-sea-config', join(output, 'config.json'));
copyFileSync(values.node, join(output, 'tsbox.part'));
const fuse = ['--sentinel-fuse', 'NODE_SEA_FUSE_fce680ab2cc467b6e072b8b5df1996b2'];
const postject = [
  'node_modules/.bin/postject',
  join(output, 'tsbox.part'),
  'NODE_SEA_BLOB',
  config.output,
  ...fuse,
];
// It warns of every note section of Node's; what it says counts only when it fails, and is then in the error.
execFileSync(postject[0], postject.slice(1), { cwd: root, stdio: 'pipe' });
renameSync(join(output, 'tsbox.part'), join(output, 'tsbox'));
symlinkSync('tsbox', join(output, 'tsbox-oci'));
for (const name of ['blob', 'config.json', 'manifest.json', 'start.cjs', ...Object.keys(caches)])
  rmSync(join(output, name));
console.log(`wrote ${join(output, 'tsbox')} with Node ${node('--version').trim()}`);

/** The files that must be files, by their path in the package (which is the asset's name too). */
function packageFiles() {
  const here = [`dist/native/linux-${process.arch}`, 'dist/seccomp', 'dist/images']
    .filter(existsSync)
    .flatMap((directory) => readdirSync(directory).map((name) => join(directory, name)));
  const koffi = `node_modules/@koromix/koffi-linux-${process.arch}`;
  const manifest = createRequire(join(root, 'package.json')).resolve(
    `@koromix/koffi-linux-${process.arch}/package.json`,
  );
  const binary = join(`linux_${process.arch}`, 'koffi.node');
  const workers = Object.keys(WORKERS).map((name) => join('dist', name));
  return {
    ...Object.fromEntries(['package.json', ...here, ...workers].map((path) => [path, path])),
    [join(koffi, 'package.json')]: manifest,
    [join(koffi, binary)]: join(dirname(manifest), binary),
  };
}

function digestOf(files) {
  const hash = createHash('sha256');
  for (const [path, source] of Object.entries(files))
    hash.update(`${path}\0`).update(readFileSync(source)).update('\0');
  return hash.digest('hex').slice(0, 32);
}

function modesOf(files) {
  const mode = (source) => ((statSync(source).mode & 0o100) === 0 ? 0o600 : 0o700);
  return Object.fromEntries(Object.entries(files).map(([path, source]) => [path, mode(source)]));
}

/**
 * V8's code caches by the Node that will use them, as files: for each file of the bundle, and each command that has one of its own. Each is half of
 * the file of src/start/code-cache.ts, which holds it twice.
 */
function codeCaches() {
  const suffix = node('-p', "'-' + process.version + '-' + process.arch + '.cache'").trim();
  const caches = {};
  for (const name of readdirSync('dist/cache').filter((cache) => cache.endsWith(suffix))) {
    // NAME-DIGEST, or NAME-KIND-DIGEST.
    const kind = name.slice(0, -suffix.length).replace(/-[0-9a-f]{16}$/, '');
    const twice = readFileSync(join('dist/cache', name));
    const cache = `${kind}.cache`;
    caches[cache] = join(output, cache);
    writeFileSync(caches[cache], twice.subarray(0, twice.length / 2));
  }
  if (!('cli.cache' in caches))
    throw new Error('tsbox run does not work here, so there is no code cache to put in');
  return caches;
}
