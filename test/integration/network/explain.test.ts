import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import type { LinkMessages, NetworkWork } from '../../../src/index.ts';
import { removesAll, said } from '../life/support.ts';
import { describeRoot, image, store } from '../support/tsbox.ts';
import { ip, nft } from './support/lab.ts';

type Message = LinkMessages['messages'][number];
/** What `ip -json` says of an interface, as far as it is compared. */
interface Link {
  ifname: string;
  mtu: number;
  address: string;
  ifalias?: string;
  master?: string;
  operstate: string;
  linkinfo?: { info_kind?: string; info_data?: { mode?: string }; info_slave_data?: Record<string, unknown> };
  addr_info: { local: string; prefixlen: number; broadcast?: string; nodad?: boolean; scope: string }[];
}

// It names nothing that the test has not made, so that explanations can be compared with what a start makes, in the order of a machine's life.
describeRoot('what --explain says of the network is what a start makes', () => {
  beforeAll(() => {
    ip('link add uplink type veth peer name far');
    ip('link set uplink up');
    ip('link set far up');
  });

  afterEach(() => {
    const names = readdirSync(join(store, 'networks')).filter((name) => name !== 'bridge');
    if (names.length > 0) said('network', 'rm', ...names);
  });

  // Before the networks: what was registered last is done first.
  removesAll();

  afterAll(() => {
    ip('link delete uplink');
    for (const { ifname } of links()) if (/^(tsbox|br-)/.test(ifname)) ip(`link delete ${ifname}`);
    nft('flush', 'ruleset');
  });

  test('first where nothing is there: the table, the bridge and its addresses, ports', () => {
    for (const { ifname } of links()) if (/^tsbox/.test(ifname)) ip(`link delete ${ifname}`);
    nft('flush', 'ruleset');
    const work = startsAsExplained(
      '-p',
      '8080:80',
      '-p',
      '127.0.0.1:5300-5301:53-54/udp',
      '-p',
      '9000-9001:80-81',
    );
    expect(whats(work)).toEqual([
      'set up the network',
      'make the bridge tsbox0',
      'set up the bridge tsbox0',
      'connect the container’s eth0 to tsbox0',
      'set up the host’s end of the interface',
      'set up eth0 in the container',
      'write settings of the host',
      'publish ports',
    ]);
  });

  test('then only what is the container’s own', () => {
    startsAsExplained();
    expect(whats(startsAsExplained())).toEqual([
      'connect the container’s eth0 to tsbox0',
      'set up the host’s end of the interface',
      'set up eth0 in the container',
    ]);
  });

  test('several networks, one without a way out, one whose containers do not see each other, one on a link of the host', () => {
    said('network', 'create', '--internal', '--subnet', '10.99.1.0/24', 'inner');
    said(
      'network',
      'create',
      '-o',
      'com.docker.network.bridge.enable_icc=false',
      '-o',
      'mtu=1400',
      '--ipv6',
      'apart',
    );
    said('network', 'create', '-d', 'macvlan', '-o', 'parent=uplink', '--subnet', '192.0.2.0/24', 'lan');
    const networks = ['--network', 'inner:ip=10.99.1.77', '--network', 'apart', '--network', 'lan'];
    const work = startsAsExplained(...networks, '--mac-address', '02:00:00:00:00:77', '-p', '8080:80');
    expect(work.notes.join('\n')).not.toContain('10.99.1.77');
  });

  test('text: each message with its reason, below the plan; a port by chance has a name', () => {
    const text = said('run', '--explain', '-p', '80', image, 'true');
    const [, own = ''] = text.split('\n\nMeanwhile, by tsbox itself: ');
    expect(own).toMatch(
      /\n {4}RTM_NEWLINK NLM_F_CREATE\|NLM_F_EXCL name=veth<8 digits> .* kind=veth peer=\{name=eth0 .*\}\n {7}a cable/,
    );
    expect(own).toMatch(/\n {4}RTM_NEWADDR .* dev=eth0 local=10\.87\.\d+\.\d+\/16 .*\n {7}its address\n/);
    expect(own).toContain('tcp dport <port> dnat ip to 10.87.');
    expect(own).not.toMatch(/undefined|\[object|65536/);
    const { network } = JSON.parse(said('run', '--explain=json', '-p', '80', image, 'true'));
    const json = JSON.stringify(network);
    expect(json).toContain('"port":80');
    expect(json).not.toContain('65536');
  });

  test.each([['none'], ['host']])('nothing with --network %s', (network) => {
    const explained = JSON.parse(said('run', '--explain=json', '--network', network, image, 'true'));
    expect(Object.keys(explained)).toEqual(['steps']);
    expect(said('run', '--explain', '--network', network, image, 'true')).not.toContain('Meanwhile');
  });
});

/** Explains a container, sees that nothing has changed, starts it, and compares. */
function startsAsExplained(...flags: string[]): NetworkWork {
  const before = everything();
  const { steps, network: work } = JSON.parse(
    said('run', '--explain=json', ...flags, image, 'sleep', '1000'),
  ) as {
    steps: unknown[];
    network: NetworkWork;
  };
  expect(steps.length).toBeGreaterThan(60);
  expect(everything()).toEqual(before);
  const rulesBefore = before.rules.replace(/ruleset/, '');
  const id = said('run', '-d', ...flags, image, 'sleep', '1000');
  const pid = said('inspect', '-f', '{{.State.Pid}}', id);
  const inside = (words: string) =>
    execFileSync('nsenter', ['-t', pid, '-n', 'ip', ...words.split(' ')], { encoding: 'utf8' });
  const own: Link[] = JSON.parse(inside('-d -j addr'));
  const routes: { dst: string; gateway?: string; dev: string }[] = ['-4', '-6'].flatMap((family) =>
    JSON.parse(inside(`${family} -j route`)),
  );
  const news = links().filter(({ ifname }) => !before.links.some((link) => link.ifname === ifname));
  const messages = work.parts.flatMap((part) =>
    part.by === 'netlink' ? part.messages.map((message) => ({ ...message, namespace: part.namespace })) : [],
  );
  for (const message of messages) {
    expect(message.why).not.toBe('');
    const seen = message.namespace === 'host' ? news : own;
    if (message.message === 'RTM_NEWROUTE') hasRoute(routes, message);
    else if (message.message === 'RTM_NEWADDR') hasAddress(seen, message);
    else if (message.namespace === 'host' && message.attributes.kind !== 'macvlan')
      hasLink(seen, message, own);
    else if (message.attributes.kind) hasLink(own, message, own);
  }
  // And nothing else: every interface, every address that is not the kernel's own, every default route is there because of a message.
  const made = messages.filter(({ flags }) => flags.includes('NLM_F_EXCL'));
  expect(own.length - 1).toBe(made.filter(({ attributes }) => attributes.kind !== 'bridge').length);
  expect(news).toHaveLength(made.filter(({ attributes }) => attributes.kind !== 'macvlan').length);
  const addresses = [...own, ...news]
    .flatMap(({ addr_info }) => addr_info)
    .filter(({ scope }) => scope === 'global');
  expect(addresses).toHaveLength(messages.filter(({ message }) => message === 'RTM_NEWADDR').length);
  expect(routes.filter(({ dst }) => dst === 'default')).toHaveLength(
    messages.filter(({ message }) => message === 'RTM_NEWROUTE').length,
  );
  expect(rulesAfter(rulesBefore, work, id, own)).toBe(nft('list', 'ruleset'));
  for (const part of work.parts)
    if (part.by === 'sysctl')
      for (const { path, value } of part.settings) expect(readFileSync(path, 'utf8').trim()).toBe(value);
  return work;
}

/** What nft makes of the commands as they are shown, in a namespace that has the rules that were there before. */
function rulesAfter(before: string, work: NetworkWork, id: string, own: readonly Link[]): string {
  const commands = work.parts.flatMap((part) =>
    part.by === 'nft' ? part.commands.map(({ text }) => text) : [],
  );
  // What only chance decides.
  const ipv6 =
    own.flatMap(({ addr_info }) => addr_info).find(({ local }) => local.startsWith('fd'))?.local ?? '';
  const text = commands.join('\n').replaceAll('<id>', id).replaceAll('<fd…>', ipv6.replace(/::.*/, ''));
  const script = 'nft -f - && nft list ruleset';
  return execFileSync('unshare', ['--net', 'sh', '-c', script], {
    input: `${before}\n${text}\n`,
    encoding: 'utf8',
  });
}

function hasLink(seen: readonly Link[], { attributes, flags }: Message, own: readonly Link[]): void {
  const { name, mtu, alias, master, kind, peer, address, addrgenmode, up, mode, ...port } = attributes;
  const link = seen.find(({ ifname }) =>
    `${name}`.startsWith('veth')
      ? /^veth/.test(ifname) && isPort(seen, ifname, port, master)
      : ifname === name,
  );
  expect(link, `${name}`).toBeDefined();
  if (link === undefined) return;
  if (mtu !== undefined) expect(link.mtu).toBe(mtu);
  if (alias !== undefined)
    expect(link.ifalias).toMatch(new RegExp(`^${`${alias}`.replace(/<.*>/, '[0-9a-f]{64}')}$`));
  if (master !== undefined) expect(link.master).toBe(master);
  if (kind !== undefined) expect(link.linkinfo?.info_kind).toBe(kind);
  if (mode !== undefined) expect(link.linkinfo?.info_data?.mode).toBe(mode);
  if (addrgenmode === 'none') expect(link.addr_info.map(({ local }) => local).join()).not.toContain('fe80:');
  if (address !== undefined && !`${address}`.includes('<')) expect(link.address).toBe(address);
  if (up) expect(link.operstate).toBe('UP');
  if (typeof peer !== 'object') return;
  expect(flags).toContain('NLM_F_CREATE');
  const far = own.find(({ ifname }) => ifname === peer.name);
  expect(far).toMatchObject({ mtu: peer.mtu, address: peer.address });
}

/** Of several ends of pairs, the one that is on that bridge, or is such a port. */
function isPort(seen: readonly Link[], name: string, port: Message['attributes'], master: unknown): boolean {
  const link = seen.find(({ ifname }) => ifname === name);
  const data = link?.linkinfo?.info_slave_data ?? {};
  if (master !== undefined) return link?.master === master;
  return ['hairpin', 'isolated'].every((flag) => (data[flag] === true) === (port[flag] === true));
}

function hasAddress(seen: readonly Link[], { attributes }: Message): void {
  const { dev, local, broadcast } = attributes;
  const [address = '', length] = `${local}`.split('/');
  const one = seen
    .find(({ ifname }) => ifname === dev)
    ?.addr_info.find((each) =>
      address.startsWith('<') ? each.local.startsWith('fd') : each.local === address,
    );
  expect(one, `${local}`).toMatchObject({
    prefixlen: Number(length),
    ...(broadcast !== undefined && { broadcast }),
  });
  if (address.startsWith('<')) expect(one?.local).toMatch(new RegExp(`${address.replace(/<.*>/, '')}$`));
}

function hasRoute(
  routes: readonly { dst: string; gateway?: string; dev: string }[],
  { attributes }: Message,
): void {
  const { to, dev, via } = attributes;
  const found = routes.filter((route) => route.dst === to && route.dev === dev).map(({ gateway }) => gateway);
  expect(found).toContainEqual(`${via}`.startsWith('<') ? expect.stringMatching(/^fd.*::1$/) : via);
}

function links(): Link[] {
  return JSON.parse(ip('-d -j addr'));
}

function whats(work: NetworkWork): string[] {
  return work.parts.map(({ what }) => what);
}

/** All that an explanation could change. */
function everything() {
  const files = ['networks', 'containers', 'names'].flatMap((name) => {
    const directory = join(store, name);
    try {
      return ['', ...readdirSync(directory, { recursive: true })].map((path) => {
        const { mtimeMs, ino } = statSync(join(directory, `${path}`), { throwIfNoEntry: false }) ?? {};
        return `${name}/${path} ${mtimeMs} ${ino}`;
      });
    } catch {
      return [];
    }
  });
  return {
    files,
    links: links().map(({ ifname, mtu, address, ifalias, master, addr_info }) => {
      return { ifname, mtu, address, ifalias, master, addresses: addr_info.map(({ local }) => local) };
    }),
    rules: nft('list', 'ruleset'),
    settings: SETTINGS.map((path) => readFileSync(path, 'utf8')),
  };
}

const SETTINGS = ['/proc/sys/net/ipv4/ip_forward', '/proc/sys/net/ipv6/conf/all/forwarding'];
