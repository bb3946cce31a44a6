import type { BoundPort, PublishedPort } from './port.ts';
import { addressesFor, type ReserveOptions, unique } from './reserve.ts';

/**
 * The ports that `reservePorts` would most likely give; nothing is bound. One that the kernel is to choose is a number that no port has, above 65535: apart from
 * others of that kind, so that they are no range.
 *
 * @throws {TsboxError} NO_IPV6, BAD_ADDRESS
 */
export function likelyPorts(asked: readonly PublishedPort[], options: ReserveOptions = {}): BoundPort[] {
  return [...unique(asked)].flatMap((port, at) =>
    addressesFor(port, options).map((hostAddress) => ({
      hostAddress,
      hostPort: port.hostPort ?? 65536 + 2 * at,
      containerPort: port.containerPort,
      protocol: port.protocol,
    })),
  );
}
