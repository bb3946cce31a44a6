import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { TsboxError } from '../../kernel/index.ts';
import { askNetfilter } from './nfnetlink.ts';
import type { BoundPort, Protocol } from './port.ts';
import { outside } from './ports-text.ts';
import { chainOf } from './publication.ts';
import { NUMBERS } from './published-element.ts';
import { readPublished } from './read-table.ts';

/**
 * The error for a port that is in use, naming who has it as far as that can be told.
 *
 * @param ours what this container has already been given
 * @param nameOf what a container is called
 */
export function portInUse(
  port: BoundPort,
  ours: readonly BoundPort[],
  nameOf: (id: string) => string | undefined = () => undefined,
): TsboxError {
  const what = `port ${outside(port)}/${port.protocol}`;
  if (ours.some((other) => other.hostPort === port.hostPort && other.protocol === port.protocol))
    return new TsboxError('PORT_IN_USE', `${what} is asked for twice`);
  const container = containerWith(port);
  const named = container && `container ${nameOf(container) ?? container.slice(0, 12)}`;
  const socket = socketAt(port);
  // A socket that only holds a TCP port is not listed there, one of UDP is: then the process is a container's tsbox.
  const holder = port.protocol === 'udp' ? (named ?? socket) : (socket ?? named);
  const advice =
    holder === LINGERING ? 'try again in a minute' : 'publish another port, or end what has this one';
  return new TsboxError('PORT_IN_USE', `${what} is already in use${holder ? ` by ${holder}` : ''}`, {
    advice,
  });
}

/** The id of the container that the port leads to. */
function containerWith(port: BoundPort): string | undefined {
  const elements = askNetfilter(readPublished) ?? [];
  const { hostAddress, hostPort, protocol } = port;
  const family = hostAddress.includes(':') ? '6' : '4';
  const all = hostAddress === '::' || hostAddress === '0.0.0.0';
  const found = elements.find(({ map, key }) => {
    const isPort = key[0] === NUMBERS[protocol] && key.at(-1) === hostPort && map.endsWith(family);
    return isPort && (all || map.startsWith('any') || key[1] === hostAddress);
  });
  return found?.chain.slice(chainOf('').length);
}

const LINGERING = 'a connection that has ended a moment ago';

/** Who has a socket at that port, as `process PID (COMMAND)`: one that listens first. */
function socketAt({ hostPort, protocol }: BoundPort): string | undefined {
  const sockets = [...socketsOf(protocol), ...socketsOf(`${protocol}6`)].filter(
    ({ port }) => port === hostPort,
  );
  if (sockets.length === 0) return undefined;
  const listening = sockets.filter(({ state }) => state === TCP_LISTEN);
  for (const { inode } of listening.length > 0 ? listening : sockets) {
    const process = inode === '0' ? undefined : processWith(inode);
    if (process !== undefined) return process;
  }
  return sockets.every(({ inode }) => inode === '0') ? LINGERING : undefined;
}

/** /proc/net/tcp and its kin, proc(5): `0: 0100007F:1F90 00000000:0000 0A … INODE`. */
function socketsOf(protocol: `${Protocol}6` | Protocol): { port: number; state: string; inode: string }[] {
  let text: string;
  try {
    text = readFileSync(`/proc/net/${protocol}`, 'latin1');
  } catch {
    return [];
  }
  return text
    .split('\n')
    .slice(1)
    .map((line) => line.trim().split(/\s+/))
    .flatMap((columns) => {
      const [, local = '', , state = ''] = columns;
      const port = Number.parseInt(local.split(':')[1] ?? '', 16);
      return Number.isNaN(port) ? [] : [{ port, state, inode: columns[9] ?? '0' }];
    });
}

function processWith(inode: string): string | undefined {
  const link = `socket:[${inode}]`;
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    try {
      const descriptors = readdirSync(`/proc/${pid}/fd`);
      if (!descriptors.some((fd) => linkOf(`/proc/${pid}/fd/${fd}`) === link)) continue;
      const command = readFileSync(`/proc/${pid}/comm`, 'utf8').trim();
      return `process ${pid} (${command.replace(/[^\x20-\x7e]/g, '?')})`;
    } catch {
      // It has ended meanwhile, or is not ours to look at.
    }
  }
  return undefined;
}

/** A descriptor may be closed between being listed and being read. */
function linkOf(path: string): string | undefined {
  try {
    return readlinkSync(path);
  } catch {
    return undefined;
  }
}

const TCP_LISTEN = '0A';
