import { TsboxError } from '../../kernel/index.ts';
import type { BoundPort } from '../../network/nat/port.ts';
import { outside, portLines } from '../../network/nat/ports-text.ts';
import { findContainer } from '../find-container.ts';

/** The ports of the host that lead to a container while it runs. @throws {TsboxError} NO_CONTAINER, AMBIGUOUS_ID */
export function containerPorts(reference: string): BoundPort[] {
  return [...(findContainer(reference).network?.ports ?? [])];
}

/**
 * The same as `docker port` has them: `80/tcp -> 0.0.0.0:8080`, and of one port only where it is, `0.0.0.0:8080`.
 *
 * @param port `80` or `80/tcp`: only this one
 * @throws {TsboxError} NO_CONTAINER, AMBIGUOUS_ID, BAD_OPTION, NOT_PUBLISHED
 */
export function publishedPorts(reference: string, port?: string): string[] {
  const { id, name } = findContainer(reference);
  const ports = containerPorts(id);
  if (port === undefined) return portLines(ports);
  const [, number, protocol = 'tcp'] = /^(\d{1,5})(?:\/(tcp|udp|sctp))?$/.exec(port) ?? [];
  if (number === undefined || Number(number) > 65535)
    throw new TsboxError('BAD_OPTION', `${JSON.stringify(port)} is not a port such as 80 or 53/udp`);
  const found = ports.filter((each) => each.containerPort === Number(number) && each.protocol === protocol);
  if (found.length > 0) return found.map(outside);
  throw new TsboxError('NOT_PUBLISHED', `no public port '${number}/${protocol}' published for ${name}`);
}
