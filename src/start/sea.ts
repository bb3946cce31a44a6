/*
 * The start of the single executable: what src/start/tsbox.ts is for the package. Under the name `tsbox-oci` it is the other command.
 *
 * The bundle and its code caches are in the executable, which is trusted as a whole. What the kernel must be given as a file (the
 * native programs, koffi's binary, the default image) is unpacked once into a directory that is named by the content of
 * all of it and laid out as the package is, so that the code finds everything where it always is.
 */
import { createRequire } from 'node:module';
import { basename, dirname, join } from 'node:path';
import { Script } from 'node:vm';
import { asset } from './assets.ts';
import { kindOfCommand, kindOfVerb } from './kinds.ts';
import { type Load, type Loaded, startCommand, startRuntime } from './start.ts';
import { type Manifest, unpacked } from './unpacked.ts';

const manifest = JSON.parse(text('manifest.json')) as Manifest;
const { build, caches } = manifest;
const name = basename(process.argv0) === 'tsbox-oci' ? 'tsbox-oci' : 'tsbox';
const dist = join(unpacked(manifest, name), 'dist');
const requireFile = createRequire(join(dist, 'cli.cjs'));
const args = process.argv.slice(2);
const kind = name === 'tsbox' ? kindOfCommand(args) : kindOfVerb(args);

const load: Load = (file) => {
  const bundle = join(dist, file);
  const source = `(function (exports, require, module, __filename, __dirname) {${text(file)}\n})`;
  const name = file.slice(0, -4);
  const own = `${name}${kind}.cache`;
  const cache = caches.includes(own) ? own : `${name}.cache`;
  const cachedData = caches.includes(cache) ? asset(cache) : undefined;
  const script = new Script(source, { filename: bundle, ...(cachedData && { cachedData }) });
  const loaded: { exports: Loaded } = { exports: {} };
  // The bundle loads its other file through this too.
  const requireOrLoad = (id: string) =>
    /^\.\/(oci-)?more\.cjs$/.test(id) ? load(id.slice(2)) : requireFile(id);
  script.runInThisContext()(loaded.exports, requireOrLoad, loaded, bundle, dirname(bundle));
  return loaded.exports;
};

// The build runs no container in a network, so there is no code cache for one.
const has = (file: string) => caches.includes(`${file.slice(0, -4)}.cache`);
if (name === 'tsbox') startCommand(args, build, load, has);
else startRuntime(build, load);

/** Latin-1, because ours are ASCII: no decoding, and a string of one byte a character. */
function text(name: string): string {
  return asset(name).toString('latin1');
}
