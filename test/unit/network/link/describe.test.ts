import { describe, expect, test } from 'vitest';
import { attachOver } from '../../../../src/network/link/attach.ts';
import { ensureBridgeOver } from '../../../../src/network/link/bridge.ts';
import { describeRequest } from '../../../../src/network/link/describe.ts';
import type { Attachment } from '../../../../src/network/link/index.ts';
import type { Netlink } from '../../../../src/network/link/netlink.ts';
import { reasonFor } from '../../../../src/network/link/reasons.ts';
import { Recorder } from '../../../../src/network/link/recorder.ts';
import {
  addAddress,
  addDefaultRoute,
  changeLink,
  removeLink,
} from '../../../../src/network/link/requests.ts';

const nameOf = (index: number) => `link${index}`;

/** A host with these interfaces and no bridge of ours. */
const host = (...names: string[]): Netlink => ({
  batch() {
    throw new Error('nothing is to be made');
  },
  get: () => undefined,
  indexOf: (name) => (names.includes(name) ? names.indexOf(name) + 2 : undefined),
  stateOf: () => ({ up: false, running: false }),
});

const wanted: Attachment = {
  driver: 'bridge',
  parent: 'tsbox0',
  interface: 'eth0',
  mac: '02:42:0a:57:00:02',
  mtu: 1400,
  addresses: ['10.87.0.2/16'],
  gateways: ['10.87.0.1'],
  hostInterface: 'veth0',
};

/** What would be sent: each batch as what it is for and its messages, those inside the container after the others. */
function sent(work: (on: Recorder, inside: Recorder) => void, kernel = host('tsbox0', 'uplink')) {
  const [on, inside] = [new Recorder(kernel), new Recorder()];
  work(on, inside);
  return [on, inside].flatMap((recorder) =>
    recorder.batches.map(({ what, requests }) => [
      what,
      ...requests.map((request) => {
        const described = describeRequest(request, (index) => recorder.nameOf(index));
        expect(reasonFor(described, recorder === inside)).not.toBe('');
        return described;
      }),
    ]),
  );
}

const attached = (more: Partial<Attachment>) =>
  sent((on, inside) => attachOver({ host: on, inside, namespace: 7 }, [{ ...wanted, ...more }]));

describe('what is told to the kernel, in words', () => {
  test('a container on a bridge: the pair, its end on the host, and what is inside', () => {
    expect(attached({})).toEqual([
      [
        'connect the container’s eth0 to tsbox0',
        {
          message: 'RTM_NEWLINK',
          flags: ['NLM_F_CREATE', 'NLM_F_EXCL'],
          attributes: {
            name: 'veth0',
            mtu: 1400,
            master: 'tsbox0',
            numtxqueues: 1,
            numrxqueues: 1,
            kind: 'veth',
            peer: {
              name: 'eth0',
              netns: 'container',
              mtu: 1400,
              address: '02:42:0a:57:00:02',
              numtxqueues: 1,
              numrxqueues: 1,
            },
          },
        },
      ],
      [
        'set up the host’s end of the interface',
        { message: 'RTM_NEWLINK', flags: [], attributes: { name: 'veth0', addrgenmode: 'none', up: true } },
      ],
      [
        'set up eth0 in the container',
        { message: 'RTM_NEWLINK', flags: [], attributes: { dev: 'eth0', addrgenmode: 'none' } },
        { message: 'RTM_NEWLINK', flags: [], attributes: { dev: 'eth0', up: true } },
        {
          message: 'RTM_NEWADDR',
          flags: ['NLM_F_CREATE', 'NLM_F_REPLACE'],
          attributes: { dev: 'eth0', local: '10.87.0.2/16', broadcast: '10.87.255.255' },
        },
        {
          message: 'RTM_NEWROUTE',
          flags: ['NLM_F_CREATE', 'NLM_F_REPLACE'],
          attributes: { family: 'inet', to: 'default', dev: 'eth0', via: '10.87.0.1' },
        },
      ],
    ]);
  });

  test('how its end is a port of the bridge', () => {
    expect(attached({ hairpin: true, isolated: true })[1]).toEqual([
      expect.any(String),
      expect.objectContaining({
        attributes: {
          name: 'veth0',
          addrgenmode: 'none',
          slavekind: 'bridge',
          hairpin: true,
          isolated: true,
          up: true,
        },
      }),
    ]);
  });

  test.each([
    ['macvlan', 'vepa', { address: '02:42:0a:57:00:02' }],
    ['macvlan', undefined, { address: '02:42:0a:57:00:02', mode: 'bridge' }],
    ['ipvlan', 'l3s', {}],
  ] as const)('an interface of %s, mode %s', (driver, mode, more) => {
    const [[, made] = []] = attached({ driver, parent: 'uplink', ...(mode && { mode }) });
    expect(made).toEqual({
      message: 'RTM_NEWLINK',
      flags: ['NLM_F_CREATE', 'NLM_F_EXCL'],
      attributes: {
        name: 'eth0',
        netns: 'container',
        mtu: 1400,
        link: 'uplink',
        kind: driver,
        mode,
        ...more,
      },
    });
  });

  test('a bridge that is not there yet is made, and then there for whoever is connected to it', () => {
    const bridge = {
      name: 'tsbox0',
      alias: 'tsbox:1',
      mtu: 1500,
      addresses: ['fd00::1/64'],
      mac: '02:00:00:00:00:09',
    };
    const parts = sent((on, inside) => {
      expect(ensureBridgeOver(on, bridge)).toBe('made');
      attachOver({ host: on, inside, namespace: 7 }, [wanted]);
    }, host());
    expect(parts.slice(0, 2)).toEqual([
      [
        'make the bridge tsbox0',
        {
          message: 'RTM_NEWLINK',
          flags: ['NLM_F_CREATE', 'NLM_F_EXCL'],
          attributes: { name: 'tsbox0', address: '02:00:00:00:00:09', kind: 'bridge' },
        },
        {
          message: 'RTM_NEWLINK',
          flags: [],
          attributes: { name: 'tsbox0', alias: 'tsbox:1', mtu: 1500, up: true },
        },
      ],
      [
        'set up the bridge tsbox0',
        {
          message: 'RTM_NEWADDR',
          flags: ['NLM_F_CREATE', 'NLM_F_REPLACE'],
          attributes: { dev: 'tsbox0', local: 'fd00::1/64', nodad: true },
        },
      ],
    ]);
    expect(parts[2]?.[1]).toMatchObject({ attributes: { master: 'tsbox0' } });
  });

  test('what a start refuses is refused', () => {
    expect(() =>
      sent((on, inside) => attachOver({ host: on, inside, namespace: 7 }, [wanted]), host()),
    ).toThrow(/there is no interface tsbox0/);
  });

  test('a link that goes, one that is down, a route to the link itself', () => {
    expect(describeRequest(removeLink('a'), nameOf)).toMatchObject({
      message: 'RTM_DELLINK',
      attributes: { name: 'a' },
    });
    expect(describeRequest(changeLink({ index: 3, up: false }), nameOf).attributes).toEqual({
      dev: 'link3',
      down: true,
    });
    expect(describeRequest(addDefaultRoute(4, 6), nameOf).attributes).toEqual({
      family: 'inet6',
      to: 'default',
      dev: 'link4',
      scope: 'link',
    });
    expect(describeRequest(addAddress(4, '10.0.0.0/31'), nameOf).attributes).toEqual({
      dev: 'link4',
      local: '10.0.0.0/31',
    });
  });

  test('an attribute that nobody has described yet is shown all the same', () => {
    const request = changeLink({ index: 3, attributes: [[99, 258]] });
    expect(describeRequest(request, nameOf).attributes).toEqual({ dev: 'link3', 'attribute 99': '02010000' });
  });
});
