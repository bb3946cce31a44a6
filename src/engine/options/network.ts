import { parseAddress, parseMac } from '../../network/address/index.ts';
import { didYouMean } from '../../suggest.ts';
import type { RunOptions } from '../run-options.ts';
import { badOption } from './bad-option.ts';
import { parseCsvLine } from './csv.ts';
import { askedNetworks, networkKind } from './network-mode.ts';

/** A network that a container is to be in, and what it wants there; what is left out is chosen. */
export interface NetworkRequest {
  /** Its name or id. */
  network: string;
  ip?: string;
  ip6?: string;
  mac?: string;
  aliases?: string[];
}

export type NetworkOptions = Pick<
  RunOptions,
  | 'network'
  | 'networkAlias'
  | 'ip'
  | 'ip6'
  | 'macAddress'
  | 'hostname'
  | 'dns'
  | 'dnsSearch'
  | 'dnsOption'
  | 'addHost'
>;

/**
 * The networks that a container is to be in, in the order of its interfaces; none where it has no network of tsbox's. What is asked for apart from a network's name (`--ip`)
 * holds for the first.
 *
 * @throws {TsboxError} BAD_OPTION, also for what cannot be combined, as in Docker
 */
export function networkRequests(options: NetworkOptions): NetworkRequest[] {
  const asked = askedNetworks(options);
  const kind = networkKind(options);
  const alone = asked.find((word) => word === 'none' || word === 'host' || word.startsWith('container:'));
  if (alone !== undefined && asked.length > 1)
    throw badOption('--network', alone, 'cannot be combined with other networks');
  if (kind !== 'networks') {
    checkAlone(options, kind);
    return [];
  }
  const requests = asked.map((text) => parseNetwork('--network', text));
  const names = requests.map(({ network }) => network);
  const twice = names.find((name, at) => names.indexOf(name) !== at);
  if (twice !== undefined) throw badOption('--network', twice, 'is there twice');
  const [first, ...rest] = requests as [NetworkRequest, ...NetworkRequest[]];
  return [checkDefault(merge(first, options)), ...rest.map(checkDefault)];
}

/**
 * `NAME`, Podman's `NAME:ip=10.1.2.3,alias=db,mac=02:42:…`, or Docker's `name=NAME,ip=10.1.2.3,ip6=…,alias=db,mac-address=02:42:…`; `alias` several times.
 *
 * @throws BAD_OPTION
 */
export function parseNetwork(flag: string, text: string): NetworkRequest {
  const long = /^(?:name|alias|ip6?|mac(?:-address)?|driver-opt|link-local-ip)=/.test(text);
  const colon = text.indexOf(':');
  const name = long || colon < 0 ? text : text.slice(0, colon);
  if (!long && colon < 0) return { network: checkReference(flag, text, name) };
  const request: NetworkRequest = { network: long ? '' : checkReference(flag, text, name) };
  const fields = parseCsvLine(long ? text : text.slice(colon + 1));
  if (fields === undefined) throw badOption(flag, text, 'a quote is not closed', EXAMPLE);
  for (const field of fields) readField(flag, text, field, request, long);
  if (request.network === '') throw badOption(flag, text, 'the name of the network is missing', EXAMPLE);
  return request;
}

/** What is wanted in one more network, checked. @throws BAD_OPTION */
export function checkRequest<Request extends Omit<NetworkRequest, 'network'>>(request: Request): Request {
  const { ip, ip6, mac, aliases } = request;
  if (ip !== undefined) checkIp('--ip', ip, 4);
  if (ip6 !== undefined) checkIp('--ip6', ip6, 6);
  if (mac !== undefined) checkMac('--mac-address', mac);
  for (const alias of aliases ?? []) checkAlias('--alias', alias);
  return request;
}

/** @throws BAD_OPTION */
export function checkIp(flag: string, value: string, family: 4 | 6): string {
  if (parseAddress(value)?.family !== family)
    throw badOption(flag, value, `not an address of IPv${family}`, family === 4 ? '10.1.2.3' : 'fd00::1:2');
  return value;
}

/** @throws BAD_OPTION */
export function checkMac(flag: string, value: string): string {
  const mac = parseMac(value);
  if (mac === undefined)
    throw badOption(flag, value, 'not an address that an interface can have', '02:42:ac:11:00:02');
  return mac;
}

/** A name that others find it by: it becomes a word in their /etc/hosts. @throws BAD_OPTION */
export function checkAlias(flag: string, value: string): string {
  if (!/^[a-zA-Z0-9_]([a-zA-Z0-9_.-]{0,251}[a-zA-Z0-9_])?$/.test(value))
    throw badOption(flag, value, 'not a host name (letters, digits, `_`, `.` and inner `-`)', 'db');
  return value;
}

const EXAMPLE = 'name=backend,alias=db';

function readField(flag: string, text: string, field: string, request: NetworkRequest, long: boolean): void {
  const equals = field.indexOf('=');
  const key = equals < 0 ? field : field.slice(0, equals);
  const value = field.slice(equals + 1);
  const once = (before: string | undefined) => {
    if (before) throw badOption(flag, text, `${key} is there twice`, EXAMPLE);
  };
  if (equals < 0 || value === '')
    throw badOption(flag, text, `${JSON.stringify(field)} is not of the form KEY=VALUE`, EXAMPLE);
  if (key === 'name' && long) {
    once(request.network);
    request.network = checkReference(flag, text, value);
  } else if (key === 'alias') {
    request.aliases = [...(request.aliases ?? []), checkAlias(flag, value)];
  } else if (key === 'ip' || key === 'ip6') {
    // Podman has one word for both.
    const name = key === 'ip6' || value.includes(':') ? 'ip6' : 'ip';
    once(request[name]);
    request[name] = checkIp(flag, value, name === 'ip' ? 4 : 6);
  } else if (key === 'mac' || key === 'mac-address') {
    once(request.mac);
    request.mac = checkMac(flag, value);
  } else {
    const known = ['name', 'alias', 'ip', 'ip6', 'mac', 'mac-address'];
    throw badOption(flag, text, `no such option: ${JSON.stringify(key)}${didYouMean(key, known)}`, EXAMPLE);
  }
}

/** A name, an id or the beginning of one: whether it is there is asked later. */
function checkReference(flag: string, text: string, name: string): string {
  const meant = name === 'default' ? 'bridge' : name;
  if (meant === 'none' || meant === 'host')
    throw badOption(flag, text, `${meant} is no network: it stands alone`, meant);
  if (!/^[a-zA-Z0-9][a-zA-Z0-9_.-]{0,127}$/.test(meant))
    throw badOption(flag, text, 'not the name of a network', 'backend');
  return meant;
}

/** With what was asked for beside the name. */
function merge(first: NetworkRequest, options: NetworkOptions): NetworkRequest {
  const { ip, ip6, macAddress, networkAlias } = options;
  for (const [flag, here, there] of [
    ['--ip', ip, first.ip],
    ['--ip6', ip6, first.ip6],
    ['--mac-address', macAddress, first.mac],
    ['--network-alias', networkAlias?.[0], first.aliases?.[0]],
  ] as const) {
    if (here !== undefined && there !== undefined)
      throw badOption(flag, here, 'cannot be combined with the same in --network');
  }
  return {
    ...first,
    ...(ip !== undefined && { ip: checkIp('--ip', ip, 4) }),
    ...(ip6 !== undefined && { ip6: checkIp('--ip6', ip6, 6) }),
    ...(macAddress !== undefined && { mac: checkMac('--mac-address', macAddress) }),
    ...(networkAlias !== undefined && {
      aliases: networkAlias.map((alias) => checkAlias('--network-alias', alias)),
    }),
  };
}

/** In the default network nobody has an address or a name of his choice, as in Docker. */
function checkDefault(request: NetworkRequest): NetworkRequest {
  if (request.network !== 'bridge') return request;
  const { ip, ip6, aliases } = request;
  if (ip ?? ip6)
    throw badOption(
      ip === undefined ? '--ip6' : '--ip',
      ip ?? ip6,
      'an address can be chosen in networks of your own only (tsbox network create)',
    );
  if (aliases !== undefined)
    throw badOption(
      '--network-alias',
      aliases[0],
      'there are names in networks of your own only (tsbox network create)',
    );
  return request;
}

/** What needs an interface, or files, that the container then does not have for its own. */
function checkAlone(options: NetworkOptions, kind: 'none' | 'host' | 'container'): void {
  const mode = askedNetworks(options)[0];
  const needs: [flag: string, value: string | undefined][] = [
    ['--ip', options.ip],
    ['--ip6', options.ip6],
    ['--mac-address', options.macAddress],
    ['--network-alias', options.networkAlias?.[0]],
  ];
  // These three files are those of the other container.
  if (kind === 'container')
    needs.push(
      ['--hostname', options.hostname || undefined],
      ['--dns', options.dns?.[0]],
      ['--dns-search', options.dnsSearch?.[0]],
      ['--dns-option', options.dnsOption?.[0]],
      ['--add-host', options.addHost?.[0]],
    );
  for (const [flag, value] of needs)
    if (value !== undefined) throw badOption(flag, value, `cannot be combined with --network ${mode}`);
}
