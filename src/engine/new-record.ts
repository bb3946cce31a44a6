import type { StartOptions } from './container.ts';
import type { Startable } from './prepare.ts';
import { bootId } from './process-identity.ts';
import type { ContainerRecord } from './record.ts';
import type { RunOptions } from './run-options.ts';

/** What is known of a container before it is made. */
export function newRecord(
  prepared: Startable,
  name: string,
  image: string,
  options: StartOptions,
): ContainerRecord {
  const map = prepared.built.spec.linux.uidMappings?.[0];
  return {
    id: prepared.input.id,
    name,
    image,
    imageId: prepared.image.id,
    layers: prepared.image.layers,
    command: prepared.built.spec.process.args,
    created: new Date().toISOString(),
    labels: { ...prepared.image.config.Labels, ...options.labels },
    status: 'created',
    rm: options.rm ?? true,
    network: prepared.network,
    options: runOptionsOf(options),
    bootId: bootId(),
    stopSignal: prepared.built.stopSignal,
    stopTimeout: prepared.built.stopTimeout,
    ...(prepared.input.cgroup && { cgroup: prepared.input.cgroup.path }),
    ...(prepared.built.volumes && { volumes: prepared.built.volumes }),
    ...(map && { idRange: { hostID: map.hostID, size: map.size } }),
  };
}

/** Without how this process is connected to it. */
function runOptionsOf(options: StartOptions): RunOptions {
  const {
    stdin: _in,
    stdout: _out,
    stderr: _err,
    size: _size,
    signal: _signal,
    profile: _,
    mayBlock: _mayBlock,
    ...own
  } = options;
  return own;
}
