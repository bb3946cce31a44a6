import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { lockWithin } from '../../kernel/index.ts';
import { leasedAddresses } from '../../network/store/addresses.ts';
import { DEFAULT_NETWORK } from '../../network/store/network.ts';
import { networksDirectory } from '../../network/store/paths.ts';
import { extraHosts } from '../options/names.ts';
import { containersDirectory } from '../paths.ts';
import { type ContainerRecord, readRecord } from '../record.ts';
import { replaceBlock } from './hosts-file.ts';
import type { Connection } from './recorded.ts';

/**
 * Names without a daemon: each container's /etc/hosts has the others of its networks, and is rewritten when one comes or goes
 * (docs/decisions/0008-names-without-a-daemon.md). In the default network containers do not find each other by name, as in Docker.
 *
 * @param id who came or went; its record says where it is, if anywhere
 * @param networks where that makes a difference
 * @param own whether its own file is rewritten: not that of a container that has ended, since what its last program has sent from it into a pipe (sendfile(2), as
 *   `cat` does) is not copied, and would change there
 */
export function rewriteHosts(id: string, networks: readonly Pick<Connection, 'network'>[], own = true): void {
  const changed = networks.map(({ network }) => network).filter((name) => name !== DEFAULT_NETWORK);
  if (changed.length === 0) {
    if (own) writeNames(id, new Members());
    return;
  }
  mkdirSync(networksDirectory(), { recursive: true, mode: 0o700 });
  // One lock for all networks: a container may be in several, and its file must not get an older state of one of them.
  const lock = lockWithin(networksDirectory(), 'the directory of networks', 60);
  try {
    const members = new Members();
    const all = new Set([
      ...(own ? [id] : []),
      ...changed.flatMap((network) => members.of(network).map((record) => record.id)),
    ]);
    for (const each of all) writeNames(each, members);
  } finally {
    lock.release();
  }
}

function writeNames(id: string, members: Members): void {
  const record = members.record(id);
  if (record?.network === undefined) return;
  const lines = hostsLines(record, (network) => members.of(network));
  try {
    replaceBlock(join(containersDirectory(), id, 'hosts'), lines);
  } catch (error) {
    // Not for another container's sake: it may have made the file immutable.
    if (!['EPERM', 'EACCES', 'ENOENT'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
  }
}

/** Exported for tests. */
export function hostsLines(
  record: ContainerRecord,
  membersOf: (network: string) => readonly ContainerRecord[],
): string[] {
  const own: string[] = [];
  const others: string[] = [];
  for (const { network, addresses } of record.network?.leases ?? []) {
    if (network === DEFAULT_NETWORK) {
      own.push(...linesOf(addresses, [hostnameOf(record)]));
      continue;
    }
    for (const member of membersOf(network)) {
      const lease = member.network?.leases.find((each) => each.network === network);
      if (lease === undefined) continue;
      const mine = member.id === record.id;
      const names = [member.name, ...lease.aliases, member.id.slice(0, 12), hostnameOf(member)];
      (mine ? own : others).push(...linesOf(lease.addresses, mine ? [hostnameOf(member), ...names] : names));
    }
  }
  return [...own, ...hostGateway(record), ...others];
}

/** `--add-host NAME:host-gateway`: the host, as it is seen from the container. */
function hostGateway({ options, network }: ContainerRecord): string[] {
  const [first] = network?.leases.flatMap(({ gateways }) => gateways) ?? [];
  const names = extraHosts(options ?? {}).flatMap(({ name, address }) => (address === undefined ? name : []));
  return first === undefined ? [] : names.map((name) => `${first}\t${name}`);
}

/** Programs read lines of 512 bytes (musl, name_from_hosts): a name more on each, if need be. */
function linesOf(addresses: readonly string[], names: readonly string[]): string[] {
  const lines: string[] = [];
  for (const address of addresses.map((each) => each.replace(/\/.*$/, ''))) {
    let line = address;
    for (const name of new Set(names)) {
      if (line.length + name.length > 400 && line !== address) {
        lines.push(line);
        line = address;
      }
      line += `${line === address ? '\t' : ' '}${name}`;
    }
    lines.push(line);
  }
  return lines;
}

/** As it was asked for, or the beginning of its id. */
function hostnameOf({ id, options }: ContainerRecord): string {
  return options?.hostname || id.slice(0, 12);
}

/** Who is in a network now: whoever has an address there. Each record is read once. */
class Members {
  readonly #records = new Map<string, ContainerRecord | undefined>();
  readonly #networks = new Map<string, ContainerRecord[]>();

  record(id: string): ContainerRecord | undefined {
    if (!this.#records.has(id)) this.#records.set(id, readRecord(id));
    return this.#records.get(id);
  }

  of(network: string): readonly ContainerRecord[] {
    let members = this.#networks.get(network);
    if (members === undefined) {
      const ids = new Set(leasedAddresses(network).map(({ id }) => id));
      members = [...ids].flatMap((id) => this.record(id) ?? []);
      this.#networks.set(network, members);
    }
    return members;
  }
}
