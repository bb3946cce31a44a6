import { describe, expect, it } from 'vitest';
import { describeNetworkSettings } from '../../../src/engine/inspect/network-settings.ts';
import type { NetworkDetails } from '../../../src/engine/network/network-details.ts';
import { fitsNetwork, isUsed, type NetworkFilters } from '../../../src/engine/network/network-filter.ts';
import type { RecordedNetwork } from '../../../src/engine/network/recorded.ts';
import type { ContainerRecord } from '../../../src/engine/record.ts';
import type { Spec } from '../../../src/runtime/spec.ts';
import { sampleRecord } from './sample-record.ts';

const ID = 'ab'.repeat(32);
const NETWORK = 'cd'.repeat(32);

function details(more: Partial<NetworkDetails> = {}): NetworkDetails {
  return {
    name: 'backend',
    id: NETWORK,
    driver: 'bridge',
    interface: 'br-cdcdcdcdcdcd',
    subnets: [{ subnet: '10.5.0.0/24', gateway: '10.5.0.1' }],
    internal: false,
    ipv6: false,
    options: {},
    labels: { tier: 'back', empty: '' },
    created: '2026-01-02T03:04:05.000Z',
    containers: [],
    ...more,
  };
}

function record(
  network: Partial<RecordedNetwork> | undefined,
  more: Partial<ContainerRecord> = {},
): ContainerRecord {
  return sampleRecord({
    id: ID,
    pid: 4711,
    ...(network && { network: { mode: 'backend', endpoints: [], leases: [], ports: [], ...network } }),
    ...more,
  });
}

describe('filters of networks', () => {
  it.each<[NetworkFilters, boolean]>([
    [{}, true],
    [{ driver: ['macvlan', 'bridge'] }, true],
    [{ driver: ['macvlan'] }, false],
    [{ id: [NETWORK.slice(0, 5)] }, true],
    [{ id: ['ab'] }, false],
    [{ name: ['ack'] }, true],
    [{ name: ['front'], id: ['cd'] }, false],
    [{ label: ['tier=back', 'empty'] }, true],
    [{ label: ['tier=back', 'toString'] }, false],
    [{ label: ['tier=front'] }, false],
    [{ 'label!': ['tier=front'] }, true],
    [{ 'label!': ['tier'] }, false],
    [{ scope: ['local'] }, true],
    [{ scope: ['swarm'] }, false],
    [{ type: ['custom'] }, true],
    [{ type: ['builtin'] }, false],
    [{ until: Date.parse('2026-01-02T03:04:06Z') }, true],
    [{ until: Date.parse('2026-01-02T03:04:05Z') }, false],
  ])('%j', (filters, fits) => {
    expect(fitsNetwork(details(), filters)).toBe(fits);
  });

  it('are used by who is in them, and by who would be', () => {
    const member = { id: ID, name: 'web', addresses: [], mac: '', aliases: [], endpoint: '' };
    const wants = (network: string) => [record({ endpoints: [{ network }] }, { status: 'exited' })];
    expect(isUsed(details(), [])).toBe(false);
    expect(isUsed(details({ containers: [member] }), [])).toBe(true);
    expect(isUsed(details(), wants('backend'))).toBe(true);
    expect(isUsed(details(), wants(NETWORK.slice(0, 12)))).toBe(true);
    expect(isUsed(details(), wants('front'))).toBe(false);
    expect(isUsed(details(), [record(undefined)])).toBe(false);
  });
});

describe('NetworkSettings', () => {
  const spec = { linux: { namespaces: [{ type: 'network' }] } } as unknown as Spec;
  const lease = {
    network: 'bridge',
    networkId: NETWORK,
    driver: 'bridge' as const,
    addresses: ['10.87.0.2/16', 'fd00::2/64'],
    gateways: ['10.87.0.1', 'fd00::1'],
    mac: '02:42:0a:57:00:02',
    aliases: [],
    interface: 'eth0',
  };
  const address = {
    Gateway: '10.87.0.1',
    IPAddress: '10.87.0.2',
    IPPrefixLen: 16,
    IPv6Gateway: 'fd00::1',
    GlobalIPv6Address: 'fd00::2',
    GlobalIPv6PrefixLen: 64,
  };

  it('of the default network are twice there, as in Docker', () => {
    const ports = [{ hostAddress: '0.0.0.0', hostPort: 8080, containerPort: 80, protocol: 'tcp' as const }];
    const network = {
      mode: 'bridge',
      endpoints: [{ network: 'bridge' }],
      leases: [lease],
      ports,
      exposed: ['80/tcp', '53/udp'],
    };
    const settings = describeNetworkSettings(record(network), spec);
    expect(settings).toMatchObject({
      ...address,
      MacAddress: '02:42:0a:57:00:02',
      SandboxKey: '/proc/4711/ns/net',
      Ports: { '80/tcp': [{ HostIp: '0.0.0.0', HostPort: '8080' }], '53/udp': null },
      Networks: {
        bridge: { ...address, NetworkID: NETWORK, IPAMConfig: null, Aliases: null, DNSNames: null },
      },
    });
    expect(settings.EndpointID).toMatch(/^[0-9a-f]{64}$/);
    expect(settings.EndpointID).toBe(
      (settings.Networks as typeof settings & { bridge: { EndpointID: string } }).bridge.EndpointID,
    );
  });

  it('of one that does not run have the networks, and nothing in them', () => {
    const network = {
      endpoints: [{ network: 'backend', ip: '10.5.0.9', aliases: ['db'] }, { network: 'other' }],
    };
    const settings = describeNetworkSettings(
      record(network, { status: 'exited', options: { hostname: 'h' } }),
      spec,
    );
    expect(settings).toMatchObject({ SandboxKey: '', Ports: {}, IPAddress: '', IPPrefixLen: 0 });
    expect(Object.keys(settings.Networks as object)).toEqual(['backend', 'other']);
    expect(settings.Networks).toMatchObject({
      backend: {
        IPAMConfig: { IPv4Address: '10.5.0.9' },
        Aliases: ['db'],
        DNSNames: ['web', 'db', ID.slice(0, 12), 'h'],
        NetworkID: '',
        IPAddress: '',
      },
    });
  });

  it('of an endpoint that was asked for by its id', () => {
    const network = {
      endpoints: [{ network: NETWORK.slice(0, 12) }],
      leases: [{ ...lease, network: 'backend' }],
    };
    const { Networks, IPAddress } = describeNetworkSettings(record(network), spec);
    expect(Networks).toMatchObject({ backend: address });
    expect(IPAddress).toBe('');
  });

  it.each([
    [record({ mode: 'none' }), ['none']],
    [record({ mode: 'host' }), ['host']],
    [record({ mode: `container:${ID}` }), []],
    // Of an older version.
    [record(undefined, { options: { network: 'host' } }), ['host']],
    [record(undefined), ['none']],
  ])('without a network of its own', (container, names) => {
    expect(Object.keys(describeNetworkSettings(container, spec).Networks as object)).toEqual(names);
  });
});
