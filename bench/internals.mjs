import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { build } from 'esbuild';
import { root } from './setup.mjs';

/** What the benchmark takes from inside tsbox, so that the others are given exactly what tsbox gives itself: the specification, the profile, the plan. */
export async function loadInternals() {
  const outfile = join(root, 'dist', 'bench', 'internals.mjs');
  await build({
    stdin: {
      contents: `
        export { prepare } from './src/engine/prepare.ts';
        export { newContainerId } from './src/engine/container-directory.ts';
        export { defaultProfile } from './src/engine/seccomp/default-profile.data.ts';
        export { resolveProfile } from './src/engine/seccomp/profile.ts';
        export { findImage } from './src/image/index.ts';
        export { native } from './src/kernel/index.ts';
        export { layOut } from './src/launch/lay-out.ts';
        export { planContainer } from './src/runtime/index.ts';`,
      resolveDir: root,
      loader: 'ts',
    },
    outfile,
    bundle: true,
    platform: 'node',
    format: 'esm',
    packages: 'external',
    logLevel: 'error',
  });
  return import(pathToFileURL(outfile));
}
