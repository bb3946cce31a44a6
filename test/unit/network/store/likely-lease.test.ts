import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { newDefaultNetwork } from '../../../../src/network/store/create.ts';
import { createNetwork, lease, release } from '../../../../src/network/store/index.ts';
import { likelyLease } from '../../../../src/network/store/lease.ts';
import { containerId, hostWith, useStore } from './support.ts';

const store = useStore();
const make = (subnet: string) => createNetwork({ name: 'web', subnets: [subnet] }, hostWith());

test('what would be given is what is given then, and asking for it takes nothing', () => {
  const web = make('10.5.0.0/24');
  for (const id of [1, 2, 3].map(containerId)) {
    const likely = likelyLease(web, { aliases: ['db'] });
    expect(likelyLease(web, { aliases: ['db'] })).toEqual(likely);
    expect(lease(web, id, { aliases: ['db'] })).toEqual(likely);
  }
  // Given back, but not given again at once.
  release('web', containerId(3));
  expect(likelyLease(web).addresses).toEqual(['10.5.0.5/24']);
  expect(likelyLease(web, { ip: '10.5.0.9', mac: '02:00:00:00:00:01' })).toMatchObject({
    addresses: ['10.5.0.9/24'],
    mac: '02:00:00:00:00:01',
  });
});

test('what is refused then is refused', () => {
  const web = make('10.5.0.0/30');
  expect(() => likelyLease(web, { ip: '10.6.0.1' })).toThrow(/network web is 10.5.0.0\/30/);
  lease(web, containerId(1));
  expect(() => likelyLease(web)).toThrow(/no address is left in 10.5.0.0\/30/);
});

test('in a network that is not made yet, the first address; nothing is made', () => {
  const network = newDefaultNetwork(hostWith([], false));
  expect(likelyLease(network)).toMatchObject({
    network: 'bridge',
    addresses: ['10.87.0.2/16'],
    gateways: ['10.87.0.1'],
  });
  expect(readdirSync(join(store.root()))).toEqual([]);
});
