import type { TsboxError } from '../kernel/index.ts';
import { failureError, type Step } from '../launch/index.ts';
import { hookEnd, programError } from './program-error.ts';
import { failure } from './state.ts';

/** A step that failed, in the words by which engines tell 126 and 127 from other failures. */
export function stepError(step: Step | undefined, errno: number, args: readonly string[]): TsboxError {
  if (step === undefined) return failure('START_FAILED', 'the container interfered with its own start');
  if (step.call === 'faccessat' || step.call === 'execve') return programError(args[0] ?? '', errno);
  if (step.call === 'await')
    return failure('HOOK_FAILED', `${step.why.replace(/ has succeeded$/, '')}: ${hookEnd(errno)}`);
  const { message, advice } = failureError({ step, errno });
  return failure('CREATE_FAILED', message, advice);
}
