import { closeDescriptor, openProcess, syscall } from '../../kernel/index.ts';
import { create } from '../create.ts';
import { remove } from '../delete.ts';
import { start } from '../start.ts';
import type { Call } from './call.ts';
import { CREATE_FLAGS, createOptions } from './create.ts';
import { expect, parseFlags } from './flags.ts';
import { waitFor } from './wait-for.ts';

/** `create` and `start`, and, unless detached, waiting for the end and `delete`. */
export async function run({ place, args, log, systemd }: Call): Promise<number> {
  const kinds = { ...CREATE_FLAGS, detach: 'bool', keep: 'bool', 'no-subreaper': 'bool' } as const;
  const { flags, rest } = parseFlags(args, kinds, { b: 'bundle', d: 'detach' });
  const [id = ''] = expect(rest, ['container-id']);
  const detach = flags.is('detach');
  // The container's parent ends as soon as it is made: then it is our child.
  if (!detach) syscall('prctl', [PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0], { doing: 'adopt the container' });
  const state = await create(place, id, { ...createOptions(flags), systemd, warn: log.warn });
  try {
    const pidfd = detach || state.init === undefined ? undefined : openProcess(state.init);
    start(place, id, log.warn);
    if (pidfd === undefined) return 0;
    const code = await waitFor(pidfd);
    closeDescriptor(pidfd);
    if (!flags.is('keep')) await remove(place, id, true, log.warn);
    return code;
  } catch (error) {
    await remove(place, id, true, log.warn);
    throw error;
  }
}

const PR_SET_CHILD_SUBREAPER = 36;
