import { TsboxError } from '../../kernel/index.ts';
import type { Protocol, PublishedPort } from './port.ts';
import { parseRange, splitProtocol } from './port-range.ts';

/** A port that a container's program serves. */
export interface Exposed {
  port: number;
  protocol: Protocol;
}

/**
 * `80`, `53/udp`, `3000-3005`: of `--expose`, and the names in an image's `ExposedPorts`.
 *
 * @param flag for errors
 * @throws {TsboxError} BAD_OPTION
 */
export function parseExpose(text: string, flag = '--expose'): Exposed[] {
  const { rest, protocol } = splitProtocol(flag, text.slice(0, 200));
  const range = parseRange(rest, 1);
  if (range === undefined) {
    const shown = /^[\x21-\x7e]{1,60}$/.test(text) ? text : JSON.stringify(text.slice(0, 60));
    throw new TsboxError(
      'BAD_OPTION',
      `${flag} ${shown}: not a port from 1 to 65535, or a range of them; right would be: ${flag} 8080`,
    );
  }
  return Array.from({ length: range.last - range.first + 1 }, (_, at) => ({
    port: range.first + at,
    protocol,
  }));
}

/**
 * What is published with `--publish-all`: what was asked for, and each port that is exposed and not among that, at any free one.
 *
 * @param exposed in any order; of several times the same port one counts
 */
export function publishAll(asked: readonly PublishedPort[], exposed: readonly Exposed[]): PublishedPort[] {
  const done = new Set(asked.map(({ containerPort, protocol }) => `${containerPort}/${protocol}`));
  const added: PublishedPort[] = [];
  for (const { port, protocol } of exposed) {
    if (done.has(`${port}/${protocol}`)) continue;
    done.add(`${port}/${protocol}`);
    added.push({ containerPort: port, protocol });
  }
  return [...asked, ...added];
}
