import { freezeCgroup, thawCgroup } from '../../cgroup/kill.ts';
import { failure, readState, statusOf } from '../state.ts';
import type { Call } from './call.ts';
import { expect, parseFlags } from './flags.ts';

export async function pause({ place, args }: Call): Promise<undefined> {
  const [id = ''] = expect(parseFlags(args, {}).rest, ['container-id']);
  const state = readState(place, id);
  const status = statusOf(place, state);
  if (status !== 'running' && status !== 'created')
    throw failure('NOT_RUNNING', status === 'paused' ? 'container already paused' : 'container not running');
  await freezeCgroup(state.cgroup);
}

export function resume({ place, args }: Call): undefined {
  const [id = ''] = expect(parseFlags(args, {}).rest, ['container-id']);
  const state = readState(place, id);
  if (statusOf(place, state) !== 'paused') throw failure('NOT_PAUSED', 'container not paused');
  thawCgroup(state.cgroup);
}
