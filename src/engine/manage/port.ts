import { TsboxError } from '../../kernel/index.ts';
import { findContainer } from '../find-container.ts';

/**
 * The ports of a container that can be reached through the host, as `80/tcp -> 0.0.0.0:8080`. No network of this version publishes any: a container has
 * loopback only, or the host's own network.
 *
 * @param port `80` or `80/tcp`: only this one
 * @throws {TsboxError} NO_CONTAINER, AMBIGUOUS_ID, BAD_OPTION, NOT_PUBLISHED
 */
export function publishedPorts(reference: string, port?: string): string[] {
  const { name } = findContainer(reference);
  if (port === undefined) return [];
  const [, number, protocol = 'tcp'] = /^(\d{1,5})(?:\/(tcp|udp|sctp))?$/.exec(port) ?? [];
  if (number === undefined || Number(number) > 65535)
    throw new TsboxError('BAD_OPTION', `${JSON.stringify(port)} is not a port such as 80 or 53/udp`);
  throw new TsboxError('NOT_PUBLISHED', `no public port '${number}/${protocol}' published for ${name}`);
}
