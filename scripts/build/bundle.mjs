import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmodSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import * as esbuild from 'esbuild';
import { root } from './files.mjs';

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

/** esbuild prints what is wrong itself. */
async function build(options) {
  await esbuild.build({ ...common, ...options }).catch(() => process.exit(1));
}

/**
 * dist/cli.cjs, the whole command in one CommonJS file, and dist/tsbox.cjs, which starts it.
 *
 * `import()` becomes a deferred `require`: what is imported lazily stays unevaluated until then, in the same file.
 */
export async function bundleCommand() {
  await build({
    entryPoints: ['src/cli/main.ts'],
    outfile: 'dist/cli.cjs',
    format: 'cjs',
    external: ['koffi', '@koromix/*'],
    supported: { 'dynamic-import': false },
    define: { 'import.meta.dirname': '__dirname' },
    // What is left of it would be undefined at run time.
    logOverride: { 'empty-import-meta': 'error' },
    minifyWhitespace: true,
    minifySyntax: true,
    plugins: [deferChildProcess],
  });
  // The loader evaluates the file inside a function, where a first line of `#!` would be an error.
  const bundle = readFileSync('dist/cli.cjs', 'utf8').replace(/^#!.*\n/, '');
  writeFileSync('dist/cli.cjs', bundle);
  const digest = createHash('sha256').update(bundle).digest('hex').slice(0, 16);
  const start = readFileSync('src/start/tsbox.cjs', 'utf8');
  if (start.split('BUNDLE_DIGEST').length !== 2)
    throw new Error('src/start/tsbox.cjs must name BUNDLE_DIGEST once');
  writeFileSync('dist/tsbox.cjs.new', start.replace('BUNDLE_DIGEST', digest));
  chmodSync('dist/tsbox.cjs.new', 0o755);
  renameSync('dist/tsbox.cjs.new', 'dist/tsbox.cjs');
  console.log('bundled dist/cli.cjs');
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
