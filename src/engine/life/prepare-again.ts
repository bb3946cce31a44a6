import { nativeFile } from '../../kernel/index.ts';
import { readConfig, seccompOf } from '../config-file.ts';
import { thisHost } from '../host.ts';
import { mayBeConnected } from '../network/disconnected.ts';
import { onHost } from '../network/files.ts';
import { containersDirectory } from '../paths.ts';
import { kernelVersion, type Prepared, prepareCgroup } from '../prepare.ts';
import type { ContainerRecord } from '../record.ts';
import { buildFiles } from '../spec/files.ts';
import type { BuiltSpec } from '../spec/index.ts';

/**
 * Everything about a container that was made before and is to start now: as its config.json says, so that it is the same container whatever
 * became of the image's name or the environment meanwhile. Only what Docker also looks up at each start is looked up again: the name servers, and
 * what this kernel can limit.
 *
 * @throws {TsboxError}
 */
export function prepareAgain(record: ContainerRecord): Omit<Prepared, 'image' | 'network'> {
  const { id, options = {}, layers = [] } = record;
  const spec = readConfig(id);
  const hostname = spec.hostname ?? thisHost.hostname();
  const mounted = new Set(spec.mounts.map((mount) => mount.destination));
  const files = buildFiles(
    hostname,
    { ...options, network: record.network?.mode ?? options.network ?? 'none' },
    mounted,
    thisHost,
  );
  const init = options.init === true && options.pid !== 'host';
  const built: BuiltSpec = {
    spec,
    // Already in the configuration, with the annotation that says which it is.
    seccomp: { kind: 'default' },
    files,
    stopSignal: record.stopSignal ?? 15,
    stopTimeout: record.stopTimeout ?? 10,
    init,
  };
  const cgroup = prepareCgroup(built, options, id);
  return {
    built,
    cgroup,
    makeCgroupParents: cgroup.makeParents,
    input: {
      id,
      spec,
      // Kept: it may be started again.
      overlay: { layers, directory: `${containersDirectory()}/${id}`, keep: true },
      cgroup: cgroup.plan,
      seccomp: seccompOf(spec),
      files: mayBeConnected(record) ? onHost(files, id) : files,
      kernel: kernelVersion(),
      ...(init && { init: nativeFile('init') }),
    },
  };
}
