import { join, relative, sep } from 'node:path';
import * as esbuild from 'esbuild';
import { root } from './files.mjs';

const NETWORK = 'src/engine/network/open.ts';

/** What `tsbox run` needs of what is imported lazily. Everything else that is goes into the second file. */
const HOT = new Set([
  'src/cli/run.ts',
  'src/cli/run/terminal.ts',
  'src/engine/stream-connect.ts',
  // A container in a network, which most are.
  NETWORK,
  // A container that is kept has a log.
  'src/engine/life/log-options.ts',
  'src/engine/life/log/write.ts',
]);

/** What is needed besides by `bundleAlone`. */
const ALONE = new Set(['src/cli/report.ts']);

/**
 * Bundles the command as two CommonJS files: what every `tsbox run` needs, and the rest, which is loaded by the first `import()` of
 * any of it. The first stays small, and so does what Node must read and V8 deserialize at each start.
 *
 * A module is in one of them only, because modules have state and classes have identity: the second file is a function that takes
 * the first one's modules. (The faces, `index.ts` and what is beside the library's, are the exception: they only pass on.) esbuild splits
 * ES modules only.
 *
 * @param hot what is imported lazily and belongs into the first all the same
 * @param second what the second file is called
 * @param pure leave out modules of which nothing is used: none does anything but define
 * @returns {Promise<{ hot: string, cold: string }>} the sources
 */
export async function bundleTwo(
  entry,
  options,
  { hot: lazyHot = HOT, second = 'more.cjs', pure = false } = {},
) {
  // What the rest takes from the first file pulls more into it, and then less is left for the rest: until nothing changes.
  let table = new Map();
  for (;;) {
    const hot = await bundleHot(entry, options, { table, lazyHot, second, pure });
    const cold = await bundleCold(options, hot);
    if (same(cold.taken, table)) return { hot: hot.source, cold: cold.source };
    table = cold.taken;
  }
}

/** What stands for modules in a bundle that is only for containers that are in no network; a sweep there leaves those of others to the next one. */
const WITHOUT_NETWORK = {
  'src/engine/network/release.ts':
    'export function releaseNetwork() { throw new Error("not in this bundle"); }',
  'src/network/store/lease.ts': 'export function staleLeases() {}',
};

/**
 * Bundles one entry with nothing of what is imported lazily but what `run` needs, and without modules of which nothing is used.
 *
 * @param {boolean} network whether with what containers in a network need
 * @returns {Promise<string>} the source
 */
export async function bundleAlone(entry, options, network) {
  const plugin = {
    name: 'alone',
    setup(build) {
      build.onResolve({ filter: /^\./ }, async (args) => {
        if (args.pluginData === 'again') return undefined;
        const { path, errors } = await build.resolve(args.path, {
          importer: args.importer,
          resolveDir: args.resolveDir,
          kind: args.kind,
          pluginData: 'again',
        });
        if (errors.length > 0) return { errors };
        const file = relative(root, path).split(sep).join('/');
        const lazy = args.kind === 'dynamic-import';
        if (lazy && ((!HOT.has(file) && !ALONE.has(file)) || (!network && file === NETWORK)))
          return { path: file, namespace: 'absent' };
        if (!network && file in WITHOUT_NETWORK) return { path: file, namespace: 'without' };
        return { path, sideEffects: false };
      });
      build.onLoad({ filter: /./, namespace: 'absent' }, ({ path }) => ({
        contents: `throw new Error('not in this bundle: ${path}');`,
      }));
      build.onLoad({ filter: /./, namespace: 'without' }, ({ path }) => ({
        contents: WITHOUT_NETWORK[path],
      }));
    },
  };
  return (await bundle({ ...options, entryPoints: [entry] }, plugin)).source;
}

/** @param table by module of this file: the names that the other one takes */
async function bundleHot(entry, options, { table, lazyHot, second, pure }) {
  const lazy = new Set();
  const plugin = {
    name: 'hot',
    setup(build) {
      build.onResolve({ filter: /./ }, async (args) => {
        if (args.path === TABLE) return { path: TABLE, namespace: 'table' };
        if (args.path === `./${second}`) return { path: args.path, external: true };
        if (args.pluginData === 'again') return undefined;
        if (pure && args.kind === 'import-statement' && args.path.startsWith('.')) {
          const { resolveDir, importer, kind } = args;
          const found = await build.resolve(args.path, { resolveDir, importer, kind, pluginData: 'again' });
          return { path: found.path, errors: found.errors, sideEffects: false };
        }
        if (args.kind !== 'dynamic-import') return undefined;
        const file = await resolveFile(build, args);
        if (file === undefined || lazyHot.has(file)) return undefined;
        lazy.add(file);
        return { path: file, namespace: 'cold' };
      });
      build.onLoad({ filter: /./, namespace: 'cold' }, ({ path }) => ({
        contents: `module.exports = require('./${second}')(require('${TABLE}').table)['${path}']();`,
      }));
      build.onLoad({ filter: /./, namespace: 'table' }, () => ({
        contents: tableSource(table, lazyHot),
        resolveDir: root,
      }));
    },
  };
  return { ...(await bundle({ ...options, entryPoints: [entry] }, plugin)), lazy, pure };
}

/** The rest, which takes from the first file by `require('hot:FILE')`. */
async function bundleCold(options, { inputs, lazy, pure }) {
  const exported = await exportsOf(inputs);
  const plugin = {
    name: 'cold',
    setup(build) {
      build.onResolve({ filter: /./ }, async (args) => {
        if (args.pluginData === 'again') return undefined;
        if (args.namespace === 'hot') return { path: args.path, external: true };
        const file = await resolveFile(build, args);
        if (inputs.has(file)) return { path: file, namespace: 'hot', sideEffects: false };
        return pure && file !== undefined && args.kind === 'import-statement'
          ? { path: join(root, file), sideEffects: false }
          : undefined;
      });
      // Named, so that only what is needed is taken, also where a face has `export *`.
      build.onLoad({ filter: /./, namespace: 'hot' }, ({ path }) => ({
        contents: `export { ${exported.get(path).join(', ')} } from 'hot:${path}';`,
      }));
    },
  };
  const lines = [...lazy].sort().map((file) => `exports['${file}'] = () => require('./${file}');`);
  const stdin = { contents: lines.join('\n'), resolveDir: root, loader: 'js' };
  const wrap = { banner: { js: BEFORE }, footer: { js: 'return exports;\n}' } };
  const { source } = await bundle({ ...options, stdin, ...wrap }, plugin);
  // What is printed as an ES module says exactly which names it takes.
  const module = await bundle({ ...options, stdin, format: 'esm', minifyWhitespace: false }, plugin);
  return { source, taken: namesTaken(module.source) };
}

const BEFORE = `const tsboxRequire = require;
let tsboxMade;
module.exports = (hot) => (tsboxMade ??= tsboxMake(hot));
function tsboxMake(hot) {
const exports = {};
const module = { exports };
const require = (id) => id.startsWith('hot:') ? hot[id.slice(4)] : tsboxRequire(id);`;
const TABLE = 'tsbox:table';

async function bundle(options, plugin) {
  const { metafile, outputFiles } = await esbuild.build({
    ...options,
    outfile: 'dist/out.cjs',
    write: false,
    metafile: true,
    plugins: [plugin, ...(options.plugins ?? [])],
  });
  const used = Object.entries(Object.values(metafile.outputs)[0].inputs);
  const ours = used.filter(([path, { bytesInOutput }]) => bytesInOutput > 0 && isShared(path));
  return { source: outputFiles[0].text, inputs: new Set(ours.map(([path]) => path)) };
}

/** By module: the names it exports. */
async function exportsOf(files) {
  const { metafile } = await esbuild.build({
    entryPoints: [...files],
    outdir: 'dist/out',
    format: 'esm',
    write: false,
    metafile: true,
    logLevel: 'error',
  });
  return new Map(Object.values(metafile.outputs).map((output) => [output.entryPoint, output.exports]));
}

/** Packages have no state that would be missed, and neither do faces, nor the library's parts, whose functions load what they need. */
function isShared(path) {
  return /^src\/.*\//.test(path) && !path.endsWith('/index.ts');
}

async function resolveFile(build, { path, importer, resolveDir, kind }) {
  if (!path.startsWith('.')) return undefined;
  const found = await build.resolve(path, { importer, resolveDir, kind, pluginData: 'again' });
  return found.errors.length > 0 ? undefined : relative(root, found.path).split(sep).join('/');
}

/**
 * Getters, because what a module exports may not be there yet. What is imported lazily is only evaluated when something of it is needed: terminals
 * bring half of Node's network along.
 */
function tableSource(table, lazyHot) {
  const imports = [];
  const entries = [];
  for (const [file, names] of table) {
    const prefix = `_${entries.length}_`;
    const lazy = lazyHot.has(file);
    if (!lazy)
      imports.push(
        `import { ${[...names].map((name) => `${name} as ${prefix}${name}`).join(', ')} } from './${file}';`,
      );
    const value = (name) => (lazy ? `require('./${file}').${name}` : `${prefix}${name}`);
    const getters = [...names].map((name) => `get ${name}() { return ${value(name)}; }`);
    entries.push(`'${file}': { __proto__: null, ${getters.join(', ')} },`);
  }
  return `${imports.join('\n')}\nexport const table = {\n${entries.join('\n')}\n};`;
}

/** By module of the first file: the names that are imported from it. */
function namesTaken(source) {
  const taken = new Map();
  for (const [, clause, file] of source.matchAll(/^import ([^;]*?)\s*from "hot:([^"]+)";$/gm)) {
    const names = /^\{([^{}]*)\}$/.exec(clause)?.[1];
    if (names === undefined)
      throw new Error(`the second file may not import \`${clause.slice(0, 80)}\` from ${file.slice(0, 80)}`);
    // Only types are taken from it.
    if (names.trim() === '') continue;
    const known = taken.get(file) ?? new Set();
    for (const name of names.split(',')) known.add(name.trim().split(' as ')[0]);
    taken.set(file, known);
  }
  return taken;
}

function same(a, b) {
  const text = (table) => JSON.stringify([...table].map(([file, names]) => [file, [...names].sort()]).sort());
  return text(a) === text(b);
}
