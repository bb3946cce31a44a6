import { remove as removeContainer } from '../delete.ts';
import type { Call } from './call.ts';
import { expect, parseFlags } from './flags.ts';

export async function remove({ place, args, log }: Call): Promise<undefined> {
  const { flags, rest } = parseFlags(args, { force: 'bool' }, { f: 'force' });
  const [id = ''] = expect(rest, ['container-id']);
  await removeContainer(place, id, flags.is('force'), log.warn);
}
