import type { ContainerRecord } from '../../../src/engine/record.ts';

/** The record of a container `web` that runs. */
export function sampleRecord(more: Partial<ContainerRecord> = {}): ContainerRecord {
  return {
    id: 'ab'.repeat(32),
    name: 'web',
    image: 'alpine',
    imageId: 'sha256:0',
    command: ['true'],
    created: '2026-01-02T03:04:05.000Z',
    labels: {},
    status: 'running',
    rm: false,
    ...more,
  };
}
