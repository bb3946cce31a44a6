import { TsboxError } from '../../kernel/index.ts';
import { didYouMean } from '../../suggest.ts';
import { formatAddress, parseAddress } from '../address/index.ts';
import type { Protocol, PublishedPort } from './port.ts';
import { type PortRange, parseRange, sizeOf, splitProtocol } from './port-range.ts';

/**
 * `[[IP:]HOST:]CONTAINER[/PROTOCOL]`, as in Docker: ports are numbers or ranges, of which as many are on both sides, or one in the container and several on the
 * host, of which a free one is taken. Without HOST, or with 0, it is any free one. IPv6 in brackets or without. Also
 * `published=HOST,target=CONTAINER,protocol=PROTOCOL`.
 *
 * Source: docker-run(1), --publish; docker/go-connections, nat.
 * @throws {TsboxError} BAD_OPTION
 */
export function parsePublish(text: string): PublishedPort[] {
  if (text.length > 200) throw bad(`${text.slice(0, 60)}…`, 'too long');
  const { rest, protocol } = splitProtocol('--publish', text.includes('=') ? standardForm(text) : text);
  const parts = rest.split(':');
  const inside = parts.pop() ?? '';
  const outside = parts.pop() ?? '';
  if (inside === '') throw bad(text, 'the port of the container is missing');
  const container = range(text, inside, "the container's port", 1);
  const address = parts.length === 0 ? undefined : readAddress(text, parts.join(':'));
  const host = outside === '' ? undefined : range(text, outside, "the host's port", 0);
  const shared = { ...(address !== undefined && { hostAddress: address }), protocol };
  return numbers(text, container, host).map((numbers) => ({ ...shared, ...numbers }));
}

type Numbers = Pick<PublishedPort, 'hostPort' | 'hostPortEnd' | 'containerPort'>;

function numbers(text: string, container: PortRange, host: PortRange | undefined): Numbers[] {
  const all = Array.from({ length: sizeOf(container) }, (_, at) => container.first + at);
  if (host === undefined || (host.first === 0 && host.last === 0))
    return all.map((containerPort) => ({ containerPort }));
  if (host.first === 0) throw bad(text, 'port 0 is any free one, and cannot be in a range');
  if (sizeOf(host) === sizeOf(container))
    return all.map((containerPort, at) => ({ hostPort: host.first + at, containerPort }));
  if (all.length === 1)
    return [{ hostPort: host.first, hostPortEnd: host.last, containerPort: container.first }];
  throw bad(
    text,
    `invalid ranges for the container and the host: ${sizeOf(container)} ports inside, ${sizeOf(host)} outside`,
  );
}

function range(text: string, part: string, what: string, least: number): PortRange {
  const found = parseRange(part, least);
  if (found === undefined)
    throw bad(text, `${what} is not a number from ${least} to 65535, or a range of them`);
  return found;
}

/** In the one form that is compared: `::FFFF:1.2.3.4` is IPv4 to the kernel as well. */
function readAddress(text: string, part: string): string | undefined {
  if (part === '') return undefined;
  const inner = /^\[(.*)\]$/.exec(part)?.[1] ?? part;
  const address = parseAddress(inner);
  if (address === undefined || (inner !== part && address.family === 4)) {
    const meant = inner === 'localhost' ? '; localhost is 127.0.0.1' : '';
    throw bad(text, `invalid IP address: ${JSON.stringify(part)}${meant}`);
  }
  if (address.family === 6 && address.value >> 32n === 0xffffn)
    return formatAddress({ family: 4, value: address.value & 0xffffffffn });
  return formatAddress(address);
}

/** Docker's other form. Its `mode` is of services, which there are none of. */
function standardForm(text: string): string {
  const given: Record<string, string> = {};
  for (const pair of text.split(',')) {
    const [, name = '', value = ''] = /^\s*(\w+)=(.*?)\s*$/.exec(pair) ?? [];
    if (!FIELDS.includes(name))
      throw bad(text, `no field ${JSON.stringify(name)}${didYouMean(name, FIELDS)}`);
    given[name] = value;
  }
  if (!given.target) throw bad(text, 'the port of the container is missing: target=80');
  return `${given.published ?? ''}:${given.target}/${given.protocol || ('tcp' satisfies Protocol)}`;
}

const FIELDS = ['published', 'target', 'protocol'];

function bad(text: string, problem: string): TsboxError {
  const shown = /^[\x21-\x7e]+$/.test(text) ? text : JSON.stringify(text);
  return new TsboxError('BAD_OPTION', `--publish ${shown}: ${problem}; right would be: --publish 8080:80`);
}
