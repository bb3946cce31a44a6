import { cachedFilterFile, readFilter, readShippedFilter, writeFilter } from '../../runtime/seccomp/cache.ts';
import { compileSeccomp, type Filter, type Machine } from '../../runtime/seccomp/index.ts';
import { REVISION } from '../../runtime/seccomp/kept.ts';
import { defaultProfile, RELEVANT_CAPABILITIES, RELEVANT_KERNELS } from './default-profile.data.ts';
import { kernelAtLeast, resolveProfile } from './profile.ts';

export { REVISION, seccompFilter } from '../../runtime/seccomp/kept.ts';

/**
 * The filter of the default profile for a container with these capabilities (its bounding set).
 *
 * Its name is made of what the profile depends on, and nothing else, so that where it is there already (the build puts the usual
 * ones into `dist/seccomp/`, the cache keeps the others) it is one file to read: no profile, no table, no compiler.
 *
 * @param kernelRelease as uname(2) gives it
 */
export function compiledDefault(capabilities: string[], kernelRelease: string): Filter {
  const arch = process.arch as Machine;
  const name = defaultFilterName(capabilities, kernelRelease, arch);
  const kept = readShippedFilter(name) ?? readFilter(cachedFilterFile(name));
  if (kept !== undefined) return { filter: kept, flags: 0 };
  const compiled = compileDefault(capabilities, kernelRelease, arch);
  writeFilter(cachedFilterFile(name), compiled.filter);
  return compiled;
}

/** The name that `compiledDefault` looks for, without `.bpf`. */
export function defaultFilterName(capabilities: string[], kernelRelease: string, arch: Machine): string {
  const capabilityBits = bits(RELEVANT_CAPABILITIES, (name) => capabilities.includes(name));
  const kernelBits = bits(RELEVANT_KERNELS, (version) => {
    const [major, minor] = version.split('.');
    return kernelAtLeast(kernelRelease, Number(major), Number(minor));
  });
  return `default-${REVISION}-${arch}-${capabilityBits}-${kernelBits}`;
}

/** For the build, which makes other machines' filters too. */
export function compileDefault(capabilities: string[], kernelRelease: string, arch: Machine): Filter {
  return compileSeccomp(resolveProfile(defaultProfile(), { capabilities, kernelRelease, arch }), arch);
}

function bits(names: string[], holds: (name: string) => boolean): string {
  return names.reduce((sum, name, index) => sum + (holds(name) ? 2 ** index : 0), 0).toString(16);
}
