import { join } from 'node:path';
import * as esbuild from 'esbuild';
import { root } from './files.mjs';

/**
 * Makes one CommonJS file of one of the entries of src/start/: the first file that Node reads, without a cache, so it is small.
 *
 * @param {'tsbox' | 'tsbox-oci' | 'sea'} entry
 * @param {string} digest of the bundle that it starts
 * @returns {Promise<string>} the source
 */
export async function bundleStart(entry, digest) {
  const { outputFiles } = await esbuild.build({
    absWorkingDir: root,
    entryPoints: [join('src', 'start', `${entry}.ts`)],
    bundle: true,
    write: false,
    format: 'cjs',
    platform: 'node',
    target: 'node20.19',
    charset: 'ascii',
    legalComments: 'none',
    logLevel: 'warning',
    minifyWhitespace: true,
    minifySyntax: true,
    define: { BUNDLE_DIGEST: JSON.stringify(digest) },
  });
  return outputFiles[0].text;
}
