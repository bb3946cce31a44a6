import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { release } from 'node:os';
import { dirname, join } from 'node:path';
import { loadInternals } from './internals.mjs';

/** The checkout. */
export const root = dirname(import.meta.dirname);

/** The limits that everybody gets who can: as Docker's flags and, in the bundle, as OCI's resources. */
export const limits = ['--memory=256m', '--cpus=1', '--pids-limit=100'];

/**
 * Makes what all use: the image in a store of its own, the same tar unpacked, an OCI bundle with the specification that tsbox makes for the
 * same command, the profile in the forms that the others take, and the C programs.
 *
 * @param tar the root filesystem
 */
export async function prepareBench(directory, tar) {
  const rootfs = join(directory, 'rootfs');
  mkdirSync(rootfs);
  execFileSync('tar', ['-xpf', tar, '-C', rootfs]);
  const library = await import('../dist/index.js');
  await library.importImage(tar, IMAGE);
  const internals = await loadInternals();
  const { cgroup } = library.info();
  const limited = ['memory', 'cpu', 'pids'].every((name) => cgroup.controllers.includes(name));
  const options = {
    network: 'none',
    ...(limited && { memory: '256m', cpus: '1', pidsLimit: 100 }),
  };
  const image = internals.findImage(IMAGE);
  const prepared = (id, more = {}) =>
    internals.prepare(image, ['true'], { rm: true, ...options, ...more }, id);

  const example = prepared(internals.newContainerId());
  const { spec } = example.built;
  const seccomp = internals.resolveProfile(internals.defaultProfile(), {
    capabilities: spec.process.capabilities.bounding,
    arch: process.arch,
    kernelRelease: release(),
  });
  const bundle = (name, args) => {
    mkdirSync(join(directory, name));
    const resources = { ...spec.linux.resources, ...RESOURCES };
    const config = {
      ...spec,
      ociVersion: '1.0.2',
      root: { path: rootfs, readonly: false },
      process: { ...spec.process, args, terminal: false },
      // Each makes a group of its own, named by the container's id.
      linux: { ...spec.linux, cgroupsPath: undefined, resources, seccomp },
    };
    writeFileSync(join(directory, name, 'config.json'), JSON.stringify(config));
    return join(directory, name);
  };
  const file = (name, content) => {
    writeFileSync(join(directory, name), content);
    return join(directory, name);
  };
  const compile = (name) => {
    const to = join(directory, name);
    execFileSync('cc', ['-O2', '-o', to, join(root, 'bench', `${name}.c`)], { stdio: 'inherit' });
    return to;
  };
  return {
    directory,
    rootfs,
    library,
    internals,
    prepared,
    options,
    limited,
    hybrid: cgroup.hybrid,
    image: IMAGE,
    tar,
    bundle: bundle('bundle', ['true']),
    sleepBundle: bundle('sleep-bundle', ['sleep', '60']),
    filter: file('filter.bpf', example.input.seccomp.filter),
    profile: file('profile.json', JSON.stringify(internals.defaultProfile())),
    floor: compile('floor'),
    peak: compile('peak'),
    enter: compile('enter'),
    executable: existsSync(join(root, 'dist/sea/tsbox')) ? join(root, 'dist/sea/tsbox') : undefined,
  };
}

const IMAGE = 'bench';

/** The OCI form of `limits`. */
const RESOURCES = {
  memory: { limit: 256 << 20 },
  cpu: { quota: 100_000, period: 100_000 },
  pids: { limit: 100 },
};
