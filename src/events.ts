/** The library's part about what happens, loaded when it is called. */
export type { EventFilters } from './engine/events/filter.ts';
export type { StoreEvent } from './engine/events/note.ts';
export type { EventOptions } from './engine/events/read.ts';

import type { StoreEvent } from './engine/events/note.ts';
import type { EventOptions } from './engine/events/read.ts';

/**
 * What happens to containers, images and volumes on this machine, whoever does it; with `since`, also what has happened, as long as it is still known (8 MiB).
 *
 * ```ts
 * for await (const { action, id } of events({ filters: { type: ['container'] } })) console.log(action, id);
 * ```
 *
 * @throws {TsboxError} BAD_OPTION
 */
export async function* events(options?: EventOptions): AsyncGenerator<StoreEvent, void> {
  const { readEvents } = await import('./engine/events/read.ts');
  yield* readEvents(options);
}
