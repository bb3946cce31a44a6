import { describe, expect, it } from 'vitest';
import { containerFilter, networksOf } from '../../../src/cli/ps-filter.ts';
import type { ContainerRecord } from '../../../src/index.ts';
import { sampleRecord } from '../engine/sample-record.ts';

const lease = {
  network: 'backend',
  networkId: 'cd'.repeat(32),
  driver: 'bridge' as const,
  addresses: ['10.5.0.2/24'],
  gateways: [],
  mac: '02:42:0a:05:00:02',
  aliases: [],
  interface: 'eth0',
};
const web = sampleRecord({
  network: {
    mode: 'backend',
    endpoints: [{ network: 'backend' }],
    leases: [lease],
    ports: [{ hostAddress: '::', hostPort: 8080, containerPort: 80, protocol: 'tcp' }],
    exposed: ['53/udp'],
  },
});

describe('ps --filter', () => {
  it.each([
    ['network=backend', true],
    ['network=back', false],
    ['network=cdcdcdcd', true],
    ['network=cd', false],
    ['publish=80', true],
    ['publish=80/tcp', true],
    ['publish=80/udp', false],
    ['publish=79-81', true],
    ['publish=8080', false],
    ['publish=53/udp', false],
    ['expose=53/udp', true],
    ['expose=80', true],
    ['expose=50-60', false],
    ['expose=x', false],
  ])('%s', (filter, fits) => {
    expect(containerFilter([filter])(web)).toBe(fits);
  });
});

it('the networks of a container', () => {
  const other = (network: Partial<ContainerRecord['network']>) => ({
    ...web,
    network: { ...web.network, leases: [], ...network } as NonNullable<ContainerRecord['network']>,
  });
  expect(networksOf(web)).toEqual(['backend']);
  expect(networksOf(other({ endpoints: [{ network: 'a' }, { network: 'b' }] }))).toEqual(['a', 'b']);
  expect(networksOf(other({ mode: 'host', endpoints: [] }))).toEqual(['host']);
  expect(networksOf(other({ mode: `container:${web.id}`, endpoints: [] }))).toEqual([]);
  const { network: _, ...old } = web;
  expect(networksOf(old)).toEqual(['none']);
  expect(networksOf({ ...old, options: { network: 'host' } })).toEqual(['host']);
});
