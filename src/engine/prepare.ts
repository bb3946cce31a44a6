import { release } from 'node:os';
import {
  areOffered,
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
import { type Host, thisHost } from './host.ts';
import { askedNetwork } from './network/asked.ts';
import { onHost } from './network/files.ts';
import type { RecordedNetwork } from './network/recorded.ts';
import { sharedHostname } from './network/shared.ts';
import { networkKind } from './options/index.ts';
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
  cgroup: PreparedCgroup;
  /** To what it is to be connected. */
  network: RecordedNetwork;
  /** The same object for all containers that differ only in their ids. */
  kind?: object;
  /** What the host facts are that its plan depends on, where they have been asked already. */
  facts?: string;
}

/** What is needed of it once there is a plan. */
export type Startable = Pick<Prepared, 'image' | 'built' | 'network' | 'makeCgroupParents'> & {
  input: Pick<Prepared['input'], 'id' | 'cgroup'>;
};

export interface PreparedCgroup {
  plan: CgroupPlan;
  makeParents(): void;
  /** The same for another container; undefined where the host's controllers are others now. */
  again(id: string): PreparedCgroup | undefined;
}

/** @throws {TsboxError} for whatever is wrong with the options, the image or the limits */
export function prepare(
  image: StoredImage,
  command: readonly string[],
  options: RunOptions,
  id: string,
  host: Host = thisHost,
): Prepared {
  const built = buildSpec({
    id,
    options,
    image,
    command,
    readImageFile: (path, maximumBytes) => readImageFile(image.layers, path, maximumBytes),
    idRangesInUse,
    sharedHostname,
    host,
  });
  const network = askedNetwork(options, image.config.ExposedPorts);
  fitCapabilities(built.spec, options);
  const cgroup = prepareCgroup(built, options, id);
  const input: Prepared['input'] = {
    id,
    spec: built.spec,
    overlay: {
      layers: image.layers,
      directory: `${containersDirectory()}/${id}`,
      keep: options.rm === false,
    },
    cgroup: cgroup.plan,
    seccomp: chooseSeccomp(built),
    files: networkKind(options) === 'networks' ? onHost(built.files, id) : built.files,
    ...(built.directories && { directories: built.directories }),
    kernel: kernelVersion(),
    ...(built.init && { init: nativeFile('init') }),
  };
  return { image, built, input, network, cgroup, makeCgroupParents: cgroup.makeParents };
}

export function prepareCgroup(built: BuiltSpec, options: RunOptions, id: string): PreparedCgroup {
  const host = findCgroup();
  const resources = built.spec.linux.resources ?? {};
  const writes = requireControllers(host, limitWrites(resources));
  const program = deviceProgramOf(JSON.stringify(resources.devices ?? []));
  const controllers = host.controllers.join();
  const forContainer = (id: string): PreparedCgroup => {
    const path = cgroupPath(host, id, options.cgroupParent);
    const plan: CgroupPlan = {
      path,
      mountPoint: host.mountPoint,
      writes,
      ...(program && { deviceProgram: program }),
    };
    const makeParents = () => {
      const needed = controllersOf(writes);
      const all = [...new Set([...needed, ...counted(host)])];
      if (!areOffered(path, all)) {
        prepareParents(host, path, needed);
        offerStatistics(host, path, all);
      }
      plan.writes = requireFiles(path, writes);
      plan.tight = memoryIsTight(host, path, writes);
    };
    const again = (id: string) => {
      const now = findCgroup();
      const alike = now.mountPoint === host.mountPoint && now.controllers.join() === controllers;
      return alike ? forContainer(id) : undefined;
    };
    return { plan, makeParents, again };
  };
  return forContainer(id);
}

const deviceProgramOf = remember((rules) => deviceProgram(JSON.parse(rules)));

/** What a container without limits has statistics of. */
function counted(host: CgroupHost): string[] {
  return ['cpu', 'memory', 'pids', 'io'].filter((name) => host.controllers.includes(name));
}

/** A container without limits has statistics all the same, where the host lets us count. */
function offerStatistics(host: CgroupHost, path: string, all: readonly string[]): void {
  try {
    prepareParents(host, path, all);
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
