import { closeSync, existsSync } from 'node:fs';
import { join } from 'node:path';
import { closeDescriptor } from '../../kernel/index.ts';
import { openNetworkNamespace } from '../../kernel/netlink/index.ts';
import { attachInterfaces } from '../../network/link/index.ts';
import { findNetwork, lease, type Network } from '../../network/store/index.ts';
import { lockAbandoned } from '../container-directory.ts';
import { containersDirectory } from '../paths.ts';
import { type ContainerRecord, readRecord } from '../record.ts';
import type { BuiltSpec } from '../spec/index.ts';
import { attachments } from './attachments.ts';
import { mayBeConnected } from './disconnected.ts';
import { onHost, writeHostFiles } from './files.ts';
import { holdPorts, letGoOfPorts } from './held-ports.ts';
import { openNetworkOf, sharedFiles } from './join.ts';
import { rewriteHosts } from './names.ts';
import { ConnectedStart, JoinedStart, type NetworkStart } from './network-start.ts';
import { publishingConnection, reserve } from './ports.ts';
import type { Connection, Endpoint, RecordedNetwork } from './recorded.ts';
import { releaseNetwork } from './release.ts';
import { ensureRules, publishPorts } from './rules.ts';
import { sharedContainer } from './shared.ts';
import { Wire } from './wire.ts';

/** The network of a container that is about to start: its addresses are its own, its ports are reserved, and nothing is in the kernel yet. */
export interface OpenNetwork {
  /** For its record, which must be on disk before it is begun. */
  readonly recorded: RecordedNetwork;
  /** What must stay open as long as the container runs: its ports' sockets. */
  readonly descriptors: readonly number[];
  /** For who carries out the plan. */
  begin(): NetworkStart;
  /** Closes `descriptors` here: somebody else has them now. */
  handOver(): void;
  /** Gives everything back. For a start that failed. */
  release(): void;
}

/**
 * Takes addresses and ports for a container, and writes its files: everything that may be refused is refused here, before anything is made. The owner's lock is held.
 *
 * @param record says to what it is to be connected
 * @returns undefined for a container that has nothing but its own loopback interface, or the host's network
 * @throws {TsboxError} NO_NETWORK, SUBNET_FULL, ADDRESS_IN_USE, BAD_ADDRESS, PORT_IN_USE, NOT_RUNNING. Nothing is taken then
 */
export function openNetwork(record: ContainerRecord, built: BuiltSpec): OpenNetwork | undefined {
  if (mayBeConnected(record)) return connect(record, record.network as RecordedNetwork, built);
  const { mode = 'none' } = record.network ?? {};
  return mode.startsWith('container:') ? joinOther(mode, built) : undefined;
}

function joinOther(mode: string, built: BuiltSpec): OpenNetwork {
  const other = sharedContainer(mode);
  const namespace = openNetworkOf(other);
  return {
    recorded: { mode: `container:${other.id}`, endpoints: [], leases: [], ports: [] },
    descriptors: [],
    begin: () => new JoinedStart(namespace, sharedFiles(built.files, other.id)),
    handOver() {},
    release() {},
  };
}

function connect(
  { id }: ContainerRecord,
  { mode, endpoints, published = [], exposed }: RecordedNetwork,
  built: BuiltSpec,
): OpenNetwork {
  const networks = endpoints.map(({ network }) => findNetwork(network));
  const named = endpoints.map((endpoint, at) => ({ ...endpoint, network: (networks[at] as Network).name }));
  const recorded: RecordedNetwork = {
    mode: named[0]?.network ?? mode,
    endpoints: named,
    ...(published.length > 0 && { published }),
    ...(exposed && { exposed }),
    leases: [],
    ports: [],
  };
  const descriptors: number[] = [];
  const release = () => releaseNetwork({ id, network: recorded });
  const reservePublished = () => {
    const at = publishingConnection(networks);
    if (at < 0) {
      process.emitWarning(
        'published ports are discarded: no network of the container is a bridge with a way out',
      );
      return;
    }
    const reserved = reserve(published, networks[at] as Network, recorded.leases[at] as Connection);
    holdPorts(id, reserved.descriptors);
    descriptors.push(...reserved.descriptors);
    recorded.ports.push(...reserved.ports);
    recorded.publishing = (networks[at] as Network).name;
  };
  try {
    for (const [at, network] of networks.entries())
      recorded.leases.push(takeAddresses(network, id, named[at] as Endpoint, at));
    if (published.length > 0) reservePublished();
    writeHostFiles(onHost(built.files, id), built.spec);
  } catch (error) {
    release();
    throw error;
  }
  const attach = (pid: number) => {
    ensureRules(networks);
    const namespace = openNetworkNamespace(pid);
    try {
      attachInterfaces(namespace, attachments(networks, recorded.leases, recorded.publishing));
    } finally {
      closeDescriptor(namespace);
    }
    publishPorts(id, networks, recorded);
    rewriteHosts(id, recorded.leases);
  };
  return {
    recorded,
    descriptors,
    begin: () => new ConnectedStart(new Wire(), attach),
    handOver: () => letGoOfPorts(id),
    release,
  };
}

/** @param number of its interface */
export function takeAddresses(network: Network, id: string, asked: Endpoint, number: number): Connection {
  return { ...lease(network, id, asked, { isThere, nameOf }), interface: `eth${number}` };
}

/** Whose lock on its directory is free is gone, or has ended: nobody would give its addresses back. */
function isThere(id: string): boolean {
  const abandoned = lockAbandoned(id);
  if (abandoned !== undefined) closeSync(abandoned);
  return abandoned === undefined && existsSync(join(containersDirectory(), id));
}

function nameOf(id: string): string {
  return readRecord(id)?.name ?? id.slice(0, 12);
}
