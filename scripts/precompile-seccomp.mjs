// Puts the default profile's filter for the usual sets of capabilities into dist/seccomp/, for both machines, so that not even the
// first container of an installation compiles it. Called by the build; by hand: node scripts/precompile-seccomp.mjs
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

/** @param {string} directory where to, default dist/seccomp/ */
export async function precompileSeccomp(
  directory = fileURLToPath(new URL('../dist/seccomp/', import.meta.url)),
) {
  const { compileDefault, defaultFilterName, RELEVANT_CAPABILITIES } = await load();
  rmSync(directory, { recursive: true, force: true });
  mkdirSync(directory, { recursive: true });
  // Docker's default set has one capability that the profile asks about; then --cap-drop ALL, --cap-add ALL, and each of these alone.
  const usual = ['CAP_SYS_CHROOT'];
  const sets = [
    usual,
    [],
    RELEVANT_CAPABILITIES,
    ...['CAP_SYS_ADMIN', 'CAP_SYS_PTRACE', 'CAP_SYS_NICE'].map((one) => [...usual, one]),
  ];
  // Every kernel that tsbox supports is beyond the one version that the profile asks about, 4.8.
  const kernel = '5.14';
  for (const arch of ['x64', 'arm64'])
    for (const capabilities of sets)
      writeFileSync(
        `${directory}/${defaultFilterName(capabilities, kernel, arch)}.bpf`,
        compileDefault(capabilities, kernel, arch).filter,
      );
}

/** The compiler is TypeScript, which Node 20 does not run. */
async function load() {
  const { outputFiles } = await build({
    entryPoints: [fileURLToPath(new URL('../src/engine/seccomp/index.ts', import.meta.url))],
    bundle: true,
    format: 'esm',
    platform: 'node',
    write: false,
    logLevel: 'error',
  });
  const code = Buffer.from(outputFiles[0].contents).toString('base64');
  return import(`data:text/javascript;base64,${code}`);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await precompileSeccomp();
