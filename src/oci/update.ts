import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  controllersOf,
  deviceProgram,
  findCgroup,
  limitWrites,
  prepareParents,
  requireControllers,
  requireFiles,
} from '../cgroup/index.ts';
import type { Resources } from '../runtime/index.ts';
import { lockContainer } from './lock.ts';
import { failure, type Place, readConfigOf, readState, statusOf, writeConfig } from './state.ts';

/** Changes the limits of a container that is there. What is not mentioned stays. @throws {TsboxError} */
export async function update(place: Place, id: string, changes: Resources): Promise<void> {
  const state = readState(place, id);
  const lock = lockContainer(place, id);
  try {
    if (statusOf(place, state) === 'stopped') throw failure('NOT_RUNNING', 'container not running');
    if (changes.devices && deviceProgram(changes.devices))
      throw failure('NOT_SUPPORTED', 'devices: the rules of a container that is there cannot be changed');
    const config = readConfigOf(place, id);
    const before = config.linux.resources ?? {};
    const { devices: _, ...rest } = changes;
    const merged: Resources = { ...before };
    for (const [name, part] of Object.entries(rest) as [keyof Resources, object][])
      Object.assign(merged, { [name]: { ...(before[name] as object), ...part } });
    const host = findCgroup();
    // The whole of each part: swap, say, means something only beside the memory limit.
    const touched = Object.fromEntries(
      Object.keys(rest).map((name) => [name, merged[name as keyof Resources]]),
    );
    const writes = requireControllers(host, limitWrites(touched as Resources));
    if (state.unit !== undefined) await (await import('./systemd/index.ts')).changeScope(state.unit, writes);
    else prepareParents(host, state.cgroup, controllersOf(writes));
    for (const { file, value } of requireFiles(state.cgroup, writes)) {
      if (!existsSync(join(state.cgroup, file))) throw failure('NOT_SUPPORTED', `this cgroup has no ${file}`);
      writeFileSync(join(state.cgroup, file), value, { flag: 'r+' });
    }
    config.linux.resources = merged;
    writeConfig(place, id, config);
  } finally {
    lock.release();
  }
}
