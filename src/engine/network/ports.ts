import {
  type PublishedPort,
  parseExpose,
  parsePublish,
  publishAll,
  type Reservation,
  type ReserveOptions,
  reservePorts,
} from '../../network/nat/index.ts';
import { type Network, networkSettings } from '../../network/store/index.ts';
import { readRecord } from '../record.ts';
import type { RunOptions } from '../run-options.ts';
import type { Connection } from './recorded.ts';

/**
 * The ports that options publish: those that are named, and with `publishAll` those that the image or `expose` say the program serves.
 *
 * @param exposed the image's `ExposedPorts`
 * @throws {TsboxError} BAD_OPTION
 */
export function askedPorts(
  options: Pick<RunOptions, 'publish' | 'publishAll' | 'expose'>,
  exposed: Record<string, object> = {},
): PublishedPort[] {
  const named = (options.publish ?? []).flatMap(parsePublish);
  const served = [
    ...Object.keys(exposed).flatMap((text) => parseExpose(text, 'the image’s ExposedPorts')),
    ...(options.expose ?? []).flatMap((text) => parseExpose(text)),
  ];
  return options.publishAll ? publishAll(named, served) : named;
}

/** What options and image say is served, as `80/tcp`: only to be shown, so what an image has that is none is left out. @throws {TsboxError} BAD_OPTION */
export function exposedPorts(
  { expose = [] }: Pick<RunOptions, 'expose'>,
  exposed: Record<string, object> = {},
): string[] {
  const ofImage = Object.keys(exposed).flatMap((name) => {
    const [, port, protocol = 'tcp'] = /^(\d{1,5})(?:\/(tcp|udp|sctp))?$/.exec(name) ?? [];
    return port === undefined ? [] : `${Number(port)}/${protocol}`;
  });
  const own = expose.flatMap((text) => parseExpose(text)).map(({ port, protocol }) => `${port}/${protocol}`);
  return [...new Set([...ofImage.slice(0, 1000), ...own])];
}

/**
 * The connection that published ports lead to: the first with a way out, through a bridge of ours.
 *
 * @returns its place among the connections; -1 where there is none
 */
export function publishingConnection(networks: readonly Network[]): number {
  return networks.findIndex(({ driver, internal }) => driver === 'bridge' && !internal);
}

/** Holds ports for a container. @throws {TsboxError} PORT_IN_USE, BAD_ADDRESS, NO_IPV6, NO_SCTP */
export function reserve(
  asked: readonly PublishedPort[],
  network: Network,
  { addresses }: Connection,
): Reservation {
  return reservePorts(asked, reserveOptions(network, addresses));
}

export function reserveOptions(network: Network, addresses: readonly string[]): ReserveOptions {
  const { publishAt } = networkSettings(network);
  return {
    ipv4: addresses.some((address) => !address.includes(':')),
    ipv6: addresses.some((address) => address.includes(':')),
    ...(publishAt !== undefined && { defaultAddress: publishAt }),
    nameOf: (id) => readRecord(id)?.name,
  };
}
