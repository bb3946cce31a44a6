import { TsboxError } from '../../kernel/index.ts';
import type { ContainerRecord } from '../record.ts';
import { mayBeConnected } from './disconnected.ts';
import type { RecordedNetwork } from './recorded.ts';

/** A record that has nothing of a network any more. */
export function without(record: ContainerRecord, name: string): ContainerRecord {
  const network = record.network as RecordedNetwork;
  return {
    ...record,
    network: {
      ...network,
      endpoints: network.endpoints.filter((endpoint) => endpoint.network !== name),
      leases: network.leases.filter((lease) => lease.network !== name),
    },
  };
}

export function runs({ status }: ContainerRecord): boolean {
  return status === 'running' || status === 'paused';
}

/** @throws {TsboxError} BAD_OPTION, in Docker's words */
export function checkMode(record: ContainerRecord): void {
  if (mayBeConnected(record)) return;
  const mode = record.network?.mode ?? 'none';
  throw new TsboxError(
    'BAD_OPTION',
    `container ${record.name} has --network ${mode.startsWith('container:') ? mode.slice(0, 22) : mode} and cannot be in other networks`,
  );
}
