import { TsboxError } from '../../kernel/index.ts';
import { didYouMean } from '../../suggest.ts';
import type { Protocol } from './port.ts';

/** Ports from one to another, both included. */
export interface PortRange {
  first: number;
  last: number;
}

export function sizeOf({ first, last }: PortRange): number {
  return last - first + 1;
}

/** `80` or `8000-8010`. Undefined for what is none. @param least 0 or 1 */
export function parseRange(text: string, least: number): PortRange | undefined {
  const [, from, to = from] = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(text) ?? [];
  if (from === undefined) return undefined;
  const [first, last] = [Number(from), Number(to)];
  return first >= least && first <= last && last <= 65535 ? { first, last } : undefined;
}

/** What is before `/tcp`, and the protocol; tcp where none is named. @throws {TsboxError} BAD_OPTION */
export function splitProtocol(flag: string, text: string): { rest: string; protocol: Protocol } {
  const [rest = '', name = '', ...more] = text.split('/');
  const protocol = PROTOCOLS.find((known) => known === (name.toLowerCase() || 'tcp'));
  if (protocol !== undefined && more.length === 0) return { rest, protocol };
  const [shown, wrong] = [text, [name, ...more].join('/')].map((part) =>
    /^[\x21-\x7e]*$/.test(part) ? part : JSON.stringify(part),
  );
  throw new TsboxError(
    'BAD_OPTION',
    `${flag} ${shown}: invalid protocol: ${wrong}${more.length === 0 ? didYouMean(name, PROTOCOLS) : ''}; there are tcp, udp and sctp`,
  );
}

const PROTOCOLS: readonly Protocol[] = ['tcp', 'udp', 'sctp'];
