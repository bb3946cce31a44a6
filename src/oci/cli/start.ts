import { start as letGo } from '../start.ts';
import type { Call } from './call.ts';
import { expect, parseFlags } from './flags.ts';

export function start({ place, args, log }: Call): undefined {
  const { rest } = parseFlags(args, {});
  const [id = ''] = expect(rest, ['container-id']);
  letGo(place, id, log.warn);
}
