import { release } from '../../network/store/lease.ts';
import { isUnwritable } from '../unwritable.ts';
import { rewriteHosts } from './names.ts';
import type { RecordedNetwork } from './recorded.ts';

/**
 * Gives back what a container had in its networks: addresses, ports, names. By whoever takes care of its end, and before it is recorded, so that after a crash in
 * between somebody else does it again. Its interfaces go with its network namespace.
 */
export function releaseNetwork({ id, network }: { id: string; network?: RecordedNetwork }): void {
  if (network === undefined || network.leases.length === 0) return;
  const { leases } = network;
  for (const { network: name, addresses } of leases) release(name, id, addresses);
  try {
    rewriteHosts(id, leases);
  } catch (error) {
    // Names of somebody who is not there any more do no harm until the next one comes or goes.
    if (!isUnwritable(error)) throw error;
  }
}
