import { TsboxError } from '../../kernel/index.ts';
import { unpublish } from '../../network/nat/publish.ts';
import { release } from '../../network/store/lease.ts';
import { noteEvents, ofNetworks } from '../events/note.ts';
import { isUnwritable } from '../unwritable.ts';
import { letGoOfPorts } from './held-ports.ts';
import { rewriteHosts } from './names.ts';
import type { RecordedNetwork } from './recorded.ts';

/**
 * Gives back what a container had in its networks: addresses, ports, names. By whoever takes care of its end, and before it is recorded, so that after a crash in
 * between somebody else does it again. Its interfaces go with its network namespace.
 */
export function releaseNetwork({ id, network }: { id: string; network?: RecordedNetwork }): void {
  if (network === undefined) return;
  const { leases, ports } = network;
  letGoOfPorts(id);
  if (ports.length > 0) withdrawPorts(id);
  if (leases.length === 0) return;
  for (const { network: name, addresses } of leases) release(name, id, addresses);
  noteEvents(...ofNetworks({ id, network }, 'disconnect'));
  try {
    rewriteHosts(id, leases, false);
  } catch (error) {
    // Names of somebody who is not there any more do no harm until the next one comes or goes.
    if (!isUnwritable(error)) throw error;
  }
}

/** Without nft they cannot be removed, nor can they be where somebody flushed all rules; whoever gets the port next replaces them. */
function withdrawPorts(id: string): void {
  try {
    unpublish([id]);
  } catch (error) {
    if (!(error instanceof TsboxError)) throw error;
  }
}
