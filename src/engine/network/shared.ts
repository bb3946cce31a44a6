import { readConfig } from '../config-file.ts';
import { findContainer } from '../find-container.ts';
import type { ContainerRecord } from '../record.ts';

/** The container that `container:NAME` means. @throws {TsboxError} NO_CONTAINER, AMBIGUOUS_ID */
export function sharedContainer(mode: string): ContainerRecord {
  return findContainer(mode.slice('container:'.length));
}

/** Its host name, which whoever shares its network has as well. */
export function sharedHostname(mode: string): string | undefined {
  return readConfig(sharedContainer(mode).id).hostname;
}
