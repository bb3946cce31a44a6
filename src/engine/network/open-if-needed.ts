import type { ContainerRecord } from '../record.ts';
import type { BuiltSpec } from '../spec/index.ts';
import { mayBeConnected } from './disconnected.ts';
import type { OpenNetwork } from './open.ts';

/** `openNetwork`, of which nothing is loaded for a container that needs none. */
export async function openIfNeeded(
  record: ContainerRecord,
  built: BuiltSpec,
): Promise<OpenNetwork | undefined> {
  if (!mayBeConnected(record) && !record.network?.mode.startsWith('container:')) return undefined;
  return (await import('./open.ts')).openNetwork(record, built);
}
