import { findContainer } from '../find-container.ts';
import { networkRequests } from '../options/network.ts';
import { askedNetworks } from '../options/network-mode.ts';
import type { RunOptions } from '../run-options.ts';
import type { RecordedNetwork } from './recorded.ts';

/**
 * To what a container is to be connected whenever it starts. Of `container:NAME` the id is kept, since the name may be another's by then.
 *
 * @throws {TsboxError} BAD_OPTION, NO_CONTAINER
 */
export function askedNetwork(options: RunOptions): RecordedNetwork {
  const [asked = 'none'] = askedNetworks(options);
  const endpoints = networkRequests(options);
  const other = asked.startsWith('container:') ? findContainer(asked.slice('container:'.length)) : undefined;
  const mode = other === undefined ? (endpoints[0]?.network ?? asked) : `container:${other.id}`;
  return { mode, endpoints, leases: [], ports: [] };
}
