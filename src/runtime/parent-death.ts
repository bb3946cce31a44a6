import { PR } from '../kernel/index.ts';
import { flags, named } from '../launch/index.ts';
import type { PlanInput } from './plan-input.ts';
import type { Stage } from './stage.ts';

/**
 * From here on the process dies with the thread of tsbox that it is a child of. prctl(2) tells nothing of a death before the request, but then nobody holds
 * the other end of `ready` any more, and writing to it fails (pipe(7)) or kills. (In that of one that waits for its start, each byte has a meaning.)
 *
 * @param why of the request
 */
export function dieWithParent(stage: Stage, { ready, held }: PlanInput, why: string): void {
  stage.call('prctl', [flags(PR, 'PR_SET_PDEATHSIG'), named('SIGKILL', 9)], why);
  if (!held) stage.call('write', [ready, '.', 1], 'unless it is dead already: then this fails');
}

/**
 * Every process that tsbox clones has a copy of all its descriptors. As long as there is one of that end, nobody would notice that tsbox is dead. Of a
 * helper's children none must do so again: the number may be another's by then.
 */
export function forgetReader(stage: Stage, { reader }: PlanInput): void {
  if (reader !== undefined) stage.call('close', [reader], 'its copy of the end that only tsbox should have');
}
