import type { ContainerRecord } from '../record.ts';

/** Whether it is in networks of ours, or may be: then it has leases to give back. Neither is the case with one that has the host's network, say. */
export function mayBeConnected({ network }: Pick<ContainerRecord, 'network'>): boolean {
  const { mode = 'none' } = network ?? {};
  return mode !== 'none' && mode !== 'host' && !mode.startsWith('container:');
}

/** A record of a container that has ended. */
export function disconnected<Rec extends Pick<ContainerRecord, 'network'>>(record: Rec): Rec {
  return record.network === undefined
    ? record
    : { ...record, network: { ...record.network, leases: [], ports: [] } };
}
