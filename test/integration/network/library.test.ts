import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { afterAll, afterEach, expect, test } from 'vitest';
import {
  type Container,
  connectNetwork,
  createNetwork,
  disconnectNetwork,
  events,
  inspectContainer,
  inspectNetwork,
  listNetworks,
  pruneNetworks,
  removeNetwork,
  run,
  type StartOptions,
} from '../../../src/index.ts';
import { expectNothingLeft, makePlace } from '../../fixtures/leftovers.ts';
import { describeRoot } from '../support/tsbox.ts';

describeRoot('networks from a program', () => {
  const place = makePlace();
  process.env.TSBOX_ROOT = place.root;

  afterEach(async () => {
    await expectNothingLeft(place);
    await pruneNetworks();
  });
  afterAll(() => place.remove());

  const start = (script: string, options: StartOptions = {}): Promise<Container> =>
    run('busybox', ['sh', '-c', script], { cgroupParent: place.cgroupParent, ...options });

  test('two containers and a network', async () => {
    const made = await createNetwork('backend', { subnets: ['10.5.0.0/24'], labels: { tier: 'back' } });
    expect(made).toMatchObject({
      name: 'backend',
      driver: 'bridge',
      subnets: [{ subnet: '10.5.0.0/24', gateway: '10.5.0.1' }],
    });
    await using db = await start('while :; do echo hello | nc -l -p 80; done', {
      network: 'backend',
      networkAlias: ['db'],
      ip: '10.5.0.9',
      name: 'first',
    });
    await using web = await start('until nc db 80; do sleep 0.1; done', { network: made.id.slice(0, 12) });
    expect(await text(web.stdout as Readable)).toBe('hello\n');
    const { containers } = await inspectNetwork('backend');
    expect(containers.find(({ id }) => id === db.id)).toEqual({
      id: db.id,
      name: 'first',
      addresses: ['10.5.0.9/24'],
      mac: '02:42:0a:05:00:09',
      aliases: ['db'],
      endpoint: expect.stringMatching(/^[0-9a-f]{64}$/),
    });
    expect((await listNetworks({ label: ['tier=back'] })).map(({ name }) => name)).toEqual(['backend']);
    await expect(removeNetwork('backend')).rejects.toMatchObject({ code: 'NETWORK_IN_USE' });
  });

  test('one that runs is connected to another one, and taken out of it', async () => {
    await createNetwork('one');
    await createNetwork('two', { subnets: ['10.6.0.0/24'] });
    await using box = await start('sleep 1000', { network: 'one' });
    await connectNetwork(box.id, 'two', { ip: '10.6.0.7', aliases: ['seven'] });
    const networks = async () =>
      (await inspectContainer(box.id)).NetworkSettings.Networks as Record<string, { IPAddress: string }>;
    expect((await networks()).two?.IPAddress).toBe('10.6.0.7');
    await expect(connectNetwork(box.id, 'two')).rejects.toMatchObject({ code: 'ALREADY_CONNECTED' });
    await expect(connectNetwork(box.id, 'two', { aliases: ['a\nb'] })).rejects.toMatchObject({
      code: 'BAD_OPTION',
    });
    await disconnectNetwork(box.id, 'two');
    expect(Object.keys(await networks())).toEqual(['one']);
    await expect(disconnectNetwork(box.id, 'two')).rejects.toMatchObject({ code: 'NOT_CONNECTED' });
    const seen: string[] = [];
    for await (const { action, attributes } of events({
      since: '10m',
      until: '0s',
      filters: { network: ['two'] },
    }))
      seen.push(`${action} ${attributes.container === box.id}`);
    expect(seen).toEqual(['create false', 'connect true', 'disconnect true']);
  });

  test.each([
    [{ network: 'nowhere' }, 'NO_NETWORK'],
    [{ network: ['none', 'one'] }, 'BAD_OPTION'],
    [{ network: 'bridge', ip: '10.87.0.9' }, 'BAD_OPTION'],
    [{ network: 'none', addHost: ['a:host-gateway'] }, 'BAD_OPTION'],
    [{ network: 'bridge', dns: ['here'] }, 'BAD_OPTION'],
  ])('%j is refused', async (options, code) => {
    await expect(start('true', options)).rejects.toMatchObject({ code, exitCode: 125 });
  });

  test('what cannot be made', async () => {
    await createNetwork('one', { subnets: ['10.5.0.0/24'] });
    await expect(createNetwork('one')).rejects.toMatchObject({ code: 'NETWORK_EXISTS' });
    await expect(createNetwork('two', { subnets: ['10.5.0.0/16'] })).rejects.toMatchObject({
      code: 'SUBNET_OVERLAP',
    });
    await expect(createNetwork('two', { subnets: ['10.5.0.0'] })).rejects.toMatchObject({
      code: 'BAD_SUBNET',
    });
    await expect(removeNetwork('bridge')).rejects.toMatchObject({ code: 'BAD_OPTION' });
    await expect(removeNetwork('nowhere')).rejects.toMatchObject({ code: 'NO_NETWORK' });
    await removeNetwork('nowhere', { force: true });
  });
});
