import { portMap } from '../../network/nat/ports-text.ts';
import type { Spec } from '../../runtime/spec.ts';
import { endpointId, networkId } from '../network/details.ts';
import type { Connection, Endpoint, RecordedNetwork } from '../network/recorded.ts';
import type { ContainerRecord } from '../record.ts';

/** `NetworkSettings` of Docker's API: what a container has in its networks just now. While it does not run, there are the networks without anything in them. */
export function describeNetworkSettings(record: ContainerRecord, spec: Spec): Record<string, unknown> {
  const network = networkOf(record);
  const { leases, ports, mode } = network;
  const inDefault = leases.find((lease) => lease.network === 'bridge');
  const names = mode.startsWith('container:')
    ? []
    : network.endpoints.length > 0
      ? network.endpoints.map((endpoint) => nameOf(endpoint, leases))
      : [mode];
  return {
    Bridge: '',
    SandboxID: record.id,
    SandboxKey: namespacePath(record, spec),
    Ports: portMap(ports, network.exposed ?? []),
    // Of the default network only; those of the others are below, as in Docker.
    EndpointID: inDefault === undefined ? '' : endpointId(record.id, inDefault.networkId),
    ...addresses(inDefault),
    MacAddress: inDefault?.mac ?? '',
    Networks: Object.fromEntries(
      names.map((name) => [
        name,
        describeEndpoint(
          record,
          name,
          leases.find((lease) => lease.network === name),
          network.endpoints.find((endpoint) => nameOf(endpoint, leases) === name),
        ),
      ]),
    ),
  };
}

/** Records of older versions say it in their options only. */
export function networkOf({ network, options }: ContainerRecord): RecordedNetwork {
  const mode = typeof options?.network === 'string' ? options.network : (options?.network?.[0] ?? 'none');
  return network ?? { mode, endpoints: [], leases: [], ports: [] };
}

function describeEndpoint(
  { id, name: own, options, status }: ContainerRecord,
  name: string,
  lease: Connection | undefined,
  asked: Endpoint | undefined,
): Record<string, unknown> {
  const isThere = status === 'running' || status === 'paused';
  const network = lease?.networkId ?? (isThere ? networkId(name) : '');
  const wished = {
    ...(asked?.ip && { IPv4Address: asked.ip }),
    ...(asked?.ip6 && { IPv6Address: asked.ip6 }),
  };
  const aliases = asked?.aliases ?? [];
  const isNamed = asked !== undefined && name !== 'bridge';
  const names = [own, ...aliases, id.slice(0, 12), ...(options?.hostname ? [options.hostname] : [])];
  return {
    IPAMConfig: Object.keys(wished).length > 0 ? wished : null,
    Links: null,
    Aliases: aliases.length > 0 ? aliases : null,
    MacAddress: lease?.mac ?? '',
    DriverOpts: null,
    NetworkID: network,
    EndpointID: network === '' ? '' : endpointId(id, network),
    ...addresses(lease),
    DNSNames: isNamed ? [...new Set(names)] : null,
  };
}

function addresses(lease: Connection | undefined): Record<string, string | number> {
  const split = (isWanted: (text: string) => boolean) => {
    const [address = '', length = '0'] = lease?.addresses.find(isWanted)?.split('/') ?? [];
    return { address, length: Number(length), gateway: lease?.gateways.find(isWanted) ?? '' };
  };
  const ipv4 = split((text) => !text.includes(':'));
  const ipv6 = split((text) => text.includes(':'));
  return {
    Gateway: ipv4.gateway,
    IPAddress: ipv4.address,
    IPPrefixLen: ipv4.length,
    IPv6Gateway: ipv6.gateway,
    GlobalIPv6Address: ipv6.address,
    GlobalIPv6PrefixLen: ipv6.length,
  };
}

/** An endpoint may have been asked for by the network's id. */
function nameOf({ network }: Endpoint, leases: readonly Connection[]): string {
  return (
    leases.find((lease) => /^[0-9a-f]+$/.test(network) && lease.networkId.startsWith(network))?.network ??
    network
  );
}

/** There is no file for it: the namespace lives as long as the container's processes. */
function namespacePath({ pid, status }: ContainerRecord, spec: Spec): string {
  const isThere = status === 'running' || status === 'paused';
  if (!isThere || pid === undefined || !spec.linux.namespaces.some(({ type }) => type === 'network'))
    return '';
  return `/proc/${pid}/ns/net`;
}
