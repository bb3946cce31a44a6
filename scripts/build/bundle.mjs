import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmodSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as esbuild from 'esbuild';
import { root } from './files.mjs';
import { bundleAlone, bundleTwo } from './split.mjs';
import { bundleStart } from './start.mjs';

/** What the command's and the library's bundle have in common. koffi is loaded from its own package by src/kernel/ffi.ts. */
const common = {
  absWorkingDir: root,
  bundle: true,
  platform: 'node',
  target: 'node20.19',
  charset: 'ascii',
  legalComments: 'none',
  logLevel: 'warning',
};

/** What the bundles of commands have in common. */
const command = {
  format: 'cjs',
  external: ['koffi', '@koromix/*'],
  supported: { 'dynamic-import': false },
  define: { 'import.meta.dirname': '__dirname' },
  // What is left of it would be undefined at run time.
  logOverride: { 'empty-import-meta': 'error' },
  minifyWhitespace: true,
  minifySyntax: true,
};

/** esbuild prints what is wrong itself. */
async function build(options) {
  await esbuild.build({ ...common, ...options }).catch(() => process.exit(1));
}

/**
 * The command: dist/cli.cjs, all that `tsbox run` needs, in one CommonJS file; dist/more.cjs, the rest; and dist/tsbox.cjs, which
 * starts them; dist/again.cjs and dist/again-network.cjs, all that a
 * `tsbox run` needs whose plan was kept. And `tsbox-oci`: dist/oci.cjs, all that state, kill, start and delete need, dist/oci-more.cjs and
 * dist/tsbox-oci.cjs.
 *
 * `import()` becomes a deferred `require`: what is imported lazily stays unevaluated until then.
 */
export async function bundleCommand() {
  const { hot, cold } = await bundleTwo('src/cli/main.ts', {
    ...common,
    ...command,
    plugins: [deferChildProcess],
  }).catch((error) => {
    // esbuild has printed its own.
    if (error.errors === undefined) console.error(`build: ${error.message}`);
    process.exit(1);
  });
  const oci = await bundleTwo(
    'src/oci/cli/main.ts',
    { ...common, ...command },
    { hot: new Set(['src/oci/cli/create.ts']), second: 'oci-more.cjs', pure: true },
  ).catch((error) => {
    if (error.errors === undefined) console.error(`build: ${error.message}`);
    process.exit(1);
  });
  // The loader evaluates the file inside a function, where a first line of `#!` would be an error.
  const files = {
    'cli.cjs': hot.replace(/^#!.*\n/, ''),
    'more.cjs': cold,
    'again.cjs': await bundleAlone('src/cli/again.ts', { ...common, ...command }, false),
    'again-network.cjs': await bundleAlone('src/cli/again.ts', { ...common, ...command }, true),
    'oci.cjs': oci.hot,
    'oci-more.cjs': oci.cold,
  };
  const digest = createHash('sha256');
  for (const [name, source] of Object.entries(files)) {
    writeFileSync(`dist/${name}`, source);
    digest.update(source);
  }
  const name = digest.digest('hex').slice(0, 16);
  for (const entry of ['tsbox', 'tsbox-oci'])
    writeStarter(`dist/${entry}.cjs`, await bundleStart(entry, name));
  console.log(
    `bundled ${Object.keys(files)
      .map((name) => `dist/${name}`)
      .join(', ')}`,
  );
}

function writeStarter(file, source) {
  writeFileSync(`${file}.new`, source);
  chmodSync(`${file}.new`, 0o755);
  renameSync(`${file}.new`, file);
}

/**
 * Files that worker threads start with, each with all it needs in it: `dist/NAME` from `src/…`. A worker has modules of its own in any
 * case. The command and the library start the same file, by its path (`packageRoot()`).
 */
export const WORKERS = { 'unpack-worker.cjs': 'src/image/unpack/worker.ts' };

/** What is in {@link WORKERS}. */
export async function bundleWorkers() {
  for (const [name, entry] of Object.entries(WORKERS)) {
    await build({
      entryPoints: [entry],
      outfile: join('dist', name),
      format: 'cjs',
      external: ['koffi', '@koromix/*'],
      supported: { 'dynamic-import': false },
      define: { 'import.meta.dirname': '__dirname' },
      logOverride: { 'empty-import-meta': 'error' },
      minifyWhitespace: true,
      minifySyntax: true,
    });
    console.log(`bundled dist/${name}`);
  }
}

/** commander loads child_process (4 ms) for commands that are programs of their own, of which tsbox has none. */
const deferChildProcess = {
  name: 'defer-child-process',
  setup({ onResolve, onLoad }) {
    const namespace = 'defer';
    onResolve({ filter: /^node:child_process$/ }, ({ importer }) =>
      importer.includes('/commander/') ? { path: 'child_process', namespace } : undefined,
    );
    onLoad({ filter: /.*/, namespace }, ({ path }) => ({
      contents: `exports.spawn = (...args) => process.getBuiltinModule('${path}').spawn(...args);`,
    }));
  },
};

/** dist/index.js, the library as one module; its dependencies are those of the package, so that a program shares them. */
export async function bundleLibrary() {
  await build({
    entryPoints: ['src/index.ts'],
    outfile: 'dist/index.js',
    format: 'esm',
    packages: 'external',
  });
  console.log('bundled dist/index.js');
}

/** dist/types/: what a program that imports the library is checked against. */
export function emitTypes() {
  rmSync('dist/types', { recursive: true, force: true });
  try {
    execFileSync('node_modules/.bin/tsc', ['--project', 'tsconfig.build.json'], {
      cwd: root,
      stdio: 'inherit',
    });
  } catch {
    console.error('build: the types have errors (above)');
    process.exit(1);
  }
  console.log('wrote dist/types/');
}
