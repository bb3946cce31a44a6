import { release } from 'node:os';
import {
  type CgroupHost,
  cgroupPath,
  controllersOf,
  deviceProgram,
  findCgroup,
  limitWrites,
  memoryIsTight,
  prepareParents,
  requireControllers,
  requireFiles,
} from '../cgroup/index.ts';
import { readImageFile, type StoredImage } from '../image/index.ts';
import { nativeFile } from '../kernel/index.ts';
import type { CgroupPlan, PlanInput, SeccompFilter } from '../runtime/index.ts';
import { fitCapabilities } from './own-capabilities.ts';
import { containersDirectory } from './paths.ts';
import { idRangesInUse } from './records.ts';
import { remember } from './remember.ts';
import type { RunOptions } from './run-options.ts';
import { compiledDefault, loadProfile, seccompFilter } from './seccomp/index.ts';
import { type BuiltSpec, buildSpec } from './spec/index.ts';

/** Everything about a container that can be known before anything is made. */
export interface Prepared {
  image: StoredImage;
  built: BuiltSpec;
  /** All that a plan needs but the descriptors. */
  input: Omit<PlanInput, 'stdio' | 'ready'>;
  /** Makes the parents of the cgroup and drops the limits that this kernel has no file for; the only part with effects. */
  makeCgroupParents(): void;
}

/** @throws {TsboxError} for whatever is wrong with the options, the image or the limits */
export function prepare(
  image: StoredImage,
  command: readonly string[],
  options: RunOptions,
  id: string,
): Prepared {
  const built = buildSpec({
    id,
    options,
    image,
    command,
    readImageFile: (path, maximumBytes) => readImageFile(image.layers, path, maximumBytes),
    idRangesInUse,
  });
  fitCapabilities(built.spec, options);
  const { cgroup, makeCgroupParents } = prepareCgroup(built, options, id);
  const input: Prepared['input'] = {
    id,
    spec: built.spec,
    overlay: {
      layers: image.layers,
      directory: `${containersDirectory()}/${id}`,
      keep: options.rm === false,
    },
    cgroup,
    seccomp: chooseSeccomp(built),
    files: built.files,
    ...(built.directories && { directories: built.directories }),
    kernel: kernelVersion(),
    ...(built.init && { init: nativeFile('init') }),
  };
  return { image, built, input, makeCgroupParents };
}

export function prepareCgroup(built: BuiltSpec, options: RunOptions, id: string) {
  const host = findCgroup();
  const resources = built.spec.linux.resources ?? {};
  const path = cgroupPath(host, id, options.cgroupParent);
  const writes = requireControllers(host, limitWrites(resources));
  const program = deviceProgramOf(JSON.stringify(resources.devices ?? []));
  const cgroup: CgroupPlan = { path, writes, ...(program && { deviceProgram: program }) };
  const makeCgroupParents = () => {
    const needed = controllersOf(writes);
    prepareParents(host, path, needed);
    offerStatistics(host, path, needed);
    cgroup.writes = requireFiles(path, writes);
    cgroup.tight = memoryIsTight(host, path, writes);
  };
  return { cgroup, makeCgroupParents };
}

const deviceProgramOf = remember((rules) => deviceProgram(JSON.parse(rules)));

/** A container without limits has statistics all the same, where the host lets us count. */
function offerStatistics(host: CgroupHost, path: string, needed: readonly string[]): void {
  const counted = ['cpu', 'memory', 'pids', 'io'].filter((name) => host.controllers.includes(name));
  if (counted.every((name) => needed.includes(name))) return;
  try {
    prepareParents(host, path, counted);
  } catch {
    // Its limits are kept; that is what was asked for.
  }
}

function chooseSeccomp(built: BuiltSpec): SeccompFilter | undefined {
  const choice = built.seccomp;
  if (choice.kind === 'unconfined') return undefined;
  const capabilities = built.spec.process.capabilities?.bounding ?? [];
  if (choice.kind === 'default') return defaultFilterOf(capabilities.join());
  const arch = process.arch === 'arm64' ? 'arm64' : 'x64';
  const profile = loadProfile(choice.path, { capabilities, kernelRelease: release(), arch });
  // For config.json: a later exec or start has the same filter, whatever becomes of the file.
  built.spec.linux.seccomp = profile;
  return seccompFilter(profile);
}

const defaultFilterOf = remember((capabilities) => compiledDefault(capabilities.split(','), release()));

export function kernelVersion(): { major: number; minor: number } {
  const [major = 0, minor = 0] = release().split('.').map(Number);
  return { major, minor };
}
