import { missingRules, natNetwork } from '../../network/nat/ensure-table.ts';
import { missingForwarding, missingRouteLocalnet, type Setting } from '../../network/nat/forwarding.ts';
import type { Command, Json } from '../../network/nat/json.ts';
import { likelyPorts } from '../../network/nat/likely-ports.ts';
import { nftText } from '../../network/nat/nft-text.ts';
import type { PublishedPort } from '../../network/nat/port.ts';
import { missingPublication, neededForwarding, needsRouteLocalnet } from '../../network/nat/publish.ts';
import type { Network } from '../../network/store/index.ts';
import type { NetworkPart, RuleCommands, Settings } from './network-work.ts';
import { publishingConnection, reserveOptions } from './ports.ts';
import type { Connection } from './recorded.ts';
import { bridgesOf, publicationsOfAll } from './rules.ts';

export interface Publishing {
  /** The network through which the ports are published. */
  publishing?: string;
}

/** What would be changed before the container's interfaces are made, and what after: its published ports. */
export function explainRules(
  networks: readonly Network[],
  leases: readonly Connection[],
  published: readonly PublishedPort[],
  notes: string[],
): { before: NetworkPart[]; after: NetworkPart[]; publishing: Publishing } {
  const bridges = bridgesOf(networks).map(natNetwork);
  const rules = bridges.length === 0 ? [] : missingRules(bridges, { restore: publicationsOfAll }).commands;
  const before = [...commands('set up the network', rules), ...settings(missingForwarding(bridges))];
  const at = published.length === 0 ? -1 : publishingConnection(networks);
  const [network, lease] = [networks[at], leases[at]];
  if (network === undefined || lease === undefined) {
    if (published.length > 0)
      notes.push('published ports are discarded: no network of the container is a bridge with a way out');
    return { before, after: [], publishing: {} };
  }
  const ports = likelyPorts(published, reserveOptions(network, lease.addresses));
  for (const { hostPort, hostPortEnd, containerPort } of published)
    if (hostPort === undefined)
      notes.push(`<port>: any that is free, for port ${containerPort} of the container`);
    else if (hostPortEnd !== undefined)
      notes.push(`${hostPort}: or the first that is free up to ${hostPortEnd}`);
  const loopback = needsRouteLocalnet(ports) ? missingRouteLocalnet(network.interface) : undefined;
  const forwarding = missingForwarding([neededForwarding(ports, lease.addresses)]);
  const written = new Set(
    before.flatMap((part) => (part.by === 'sysctl' ? part.settings : [])).map(({ path }) => path),
  );
  const after = [
    ...settings([
      ...(loopback ? [{ settings: [loopback], said: LOOPBACK }] : []),
      ...forwarding.filter((one) => one.settings.some(({ path }) => !written.has(path))),
    ]),
    ...commands('publish ports', missingPublication({ id: '<id>', ports, addresses: lease.addresses })),
  ];
  return { before, after, publishing: { publishing: network.name } };
}

const LOOPBACK = 'packets from 127.0.0.1 may go out to the bridge: a port is published there';

function commands(what: string, all: readonly Command[]): RuleCommands[] {
  if (all.length === 0) return [];
  const explained = all.map((command) => ({
    text: nftText(command),
    json: withoutChosen(command),
    why: reasonOf(command),
  }));
  return [{ by: 'nft', what, commands: explained }];
}

/** As `nftText` has them: ports that the kernel is to choose, which are numbers that no port has. */
function withoutChosen(command: Command): Json {
  return JSON.parse(JSON.stringify(command), (_, value) => (value > 65535 ? '<port>' : value));
}

function settings(all: readonly { settings: readonly Setting[]; said: string }[]): Settings[] {
  if (all.length === 0) return [];
  const each = all.flatMap(({ settings, said }) =>
    settings.map((setting) => ({ ...setting, why: said.replace(/^.* is \d now.*?: /, '') })),
  );
  return [{ by: 'sysctl', what: 'write settings of the host', settings: each }];
}

/** What an element or a chain is for. A rule says so itself, where that is not plain. */
function reasonOf(command: Command): string {
  const { add } = command as { add?: Record<string, { name?: Json }> };
  const name = String(add?.element?.name ?? add?.chain?.name ?? '');
  if (add?.element) return ELEMENTS[name] ?? '';
  if (name.startsWith('container-')) return 'where packets to its published ports are sent on';
  return name.startsWith('self-') ? 'and those that it sends to itself that way' : '';
}

const PORT = 'this port of the host leads to the container';
const SELF = 'from the container to itself by its published port';
const ELEMENTS: Record<string, string> = {
  bridges: 'a bridge of ours: nothing reaches its containers that is not let through',
  hairpin: 'back to where it came from, by a published port',
  within: 'its containers reach each other',
  internal: 'no way out, no way in',
  routed4: 'reached from outside without published ports',
  routed6: 'reached from outside without published ports',
  masquerade4: "who leaves it for the outside has the host's address",
  masquerade6: "who leaves it for the outside has the host's address",
  any4: PORT,
  any6: PORT,
  at4: PORT,
  at6: PORT,
  self4: SELF,
  self6: SELF,
};
