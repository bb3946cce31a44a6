import { findContainer } from '../find-container.ts';
import { badOption } from '../options/bad-option.ts';
import { networkRequests } from '../options/network.ts';
import { askedNetworks } from '../options/network-mode.ts';
import type { RunOptions } from '../run-options.ts';
import { askedPorts, exposedPorts } from './ports.ts';
import type { RecordedNetwork } from './recorded.ts';

/**
 * To what a container is to be connected whenever it starts. Of `container:NAME` the id is kept, since the name may be another's by then.
 *
 * @param exposed the ports that the image says are served
 * @throws {TsboxError} BAD_OPTION, NO_CONTAINER
 */
export function askedNetwork(options: RunOptions, exposed?: Record<string, object>): RecordedNetwork {
  const [asked = 'none'] = askedNetworks(options);
  const endpoints = networkRequests(options);
  const other = asked.startsWith('container:') ? findContainer(asked.slice('container:'.length)) : undefined;
  const mode = other === undefined ? (endpoints[0]?.network ?? asked) : `container:${other.id}`;
  const published = options.publish || options.publishAll ? askedPorts(options, exposed) : [];
  if (other !== undefined && published.length > 0)
    throw badOption(
      '--publish',
      options.publish?.[0],
      'the ports are those of the container whose network it shares',
    );
  if (other === undefined && endpoints.length === 0 && published.length > 0)
    process.emitWarning(`published ports are discarded with the network mode ${mode}`);
  const served = exposed || options.expose ? exposedPorts(options, exposed) : [];
  return {
    mode,
    endpoints,
    ...(served.length > 0 && { exposed: served }),
    ...(published.length > 0 && { published }),
    leases: [],
    ports: [],
  };
}
