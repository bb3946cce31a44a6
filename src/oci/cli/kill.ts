import { kill as send } from '../kill.ts';
import type { Call } from './call.ts';
import { expect, parseFlags } from './flags.ts';

export function kill({ place, args }: Call): undefined {
  const { flags, rest } = parseFlags(args, { all: 'bool' }, { a: 'all' });
  const [id = '', signal = 'SIGTERM'] = expect(rest, ['container-id', 'signal'], 1);
  send(place, id, signal, flags.is('all'));
}
