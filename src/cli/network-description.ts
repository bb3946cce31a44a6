import type { NetworkDetails, NetworkMember } from '../index.ts';

/** With Docker's names, in Docker's order. */
export function describeNetwork(network: NetworkDetails): object {
  const { name, id, created, driver, subnets, ipv6, internal, containers, options, labels } = network;
  return {
    Name: name,
    Id: id,
    Created: created,
    Scope: 'local',
    Driver: driver,
    EnableIPv4: subnets.length > 0,
    EnableIPv6: ipv6,
    IPAM: {
      Driver: 'default',
      Options: null,
      Config: subnets.map(({ subnet, range, gateway, auxiliaryAddresses }) => ({
        Subnet: subnet,
        ...(range !== undefined && { IPRange: range }),
        ...(gateway !== undefined && { Gateway: gateway }),
        ...(auxiliaryAddresses !== undefined && { AuxiliaryAddresses: auxiliaryAddresses }),
      })),
    },
    Internal: internal,
    Attachable: false,
    Ingress: false,
    ConfigFrom: { Network: '' },
    ConfigOnly: false,
    Containers: Object.fromEntries(containers.map((member) => [member.id, describeMember(member)])),
    Options: driver === 'bridge' ? { [BRIDGE_NAME]: network.interface, ...options } : options,
    Labels: labels,
  };
}

const BRIDGE_NAME = 'com.docker.network.bridge.name';

function describeMember({ name, endpoint, mac, addresses }: NetworkMember): object {
  return {
    Name: name,
    EndpointID: endpoint,
    MacAddress: mac,
    IPv4Address: addresses.find((address) => !address.includes(':')) ?? '',
    IPv6Address: addresses.find((address) => address.includes(':')) ?? '',
  };
}
