import type { IdMapping, Spec } from '../../runtime/spec.ts';

type Owner = (id: number, kind: 'uid' | 'gid') => number;

/** A host's id as the container has it. What it does not map stays: that is what the image's own layers have on disk. */
export function toContainer({ linux }: Spec): Owner {
  return (id, kind) => map(id, mappings(linux, kind), 'hostID', 'containerID');
}

/** The container's id as the host has it. */
export function toHost({ linux }: Spec): Owner {
  return (id, kind) => map(id, mappings(linux, kind), 'containerID', 'hostID');
}

function mappings(linux: Spec['linux'], kind: 'uid' | 'gid'): readonly IdMapping[] {
  return (kind === 'uid' ? linux.uidMappings : linux.gidMappings) ?? [];
}

type Side = 'hostID' | 'containerID';

function map(id: number, mappings: readonly IdMapping[], from: Side, to: Side): number {
  const found = mappings.find((each) => id >= each[from] && id < each[from] + each.size);
  return found === undefined ? id : id - found[from] + found[to];
}
