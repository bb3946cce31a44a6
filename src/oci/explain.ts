import { Errno, errnoMessage, type TsboxError } from '../kernel/index.ts';
import { failureError, type Step } from '../launch/index.ts';
import { failure } from './state.ts';

/** native/plan.h: what `await` says of a child, above the kernel's errnos. */
const AWAIT_EXITED = 1000;
const AWAIT_SIGNALED = 1300;

/** A step that failed, in the words by which engines tell 126 and 127 from other failures. */
export function stepError(step: Step | undefined, errno: number, args: readonly string[]): TsboxError {
  if (step === undefined) return failure('START_FAILED', 'the container interfered with its own start');
  if (step.call === 'faccessat' || step.call === 'execve') return programError(args[0] ?? '', errno);
  if (step.call === 'await')
    return failure('HOOK_FAILED', `${step.why.replace(/ has succeeded$/, '')}: ${hookEnd(errno)}`);
  const { message, advice } = failureError({ step, errno });
  return failure('CREATE_FAILED', message, advice);
}

export function hookEnd(errno: number): string {
  if (errno === Errno.ETIMEDOUT) return 'timed out and was killed';
  if (errno > AWAIT_SIGNALED) return `was killed by signal ${errno - AWAIT_SIGNALED}`;
  if (errno > AWAIT_EXITED) return `exited with status ${errno - AWAIT_EXITED}`;
  return errnoMessage(errno);
}

/** runc's sentences, which it has from Go: podman and dockerd look for them. */
export function programError(name: string, errno: number): TsboxError {
  const quoted = JSON.stringify(name);
  if (errno === Errno.ENOENT || errno === Errno.ENOTDIR)
    return name.includes('/')
      ? failure('PROGRAM_NOT_FOUND', `exec: ${quoted}: stat ${name}: no such file or directory`)
      : failure('PROGRAM_NOT_FOUND', `exec: ${quoted}: executable file not found in $PATH`);
  if (errno === Errno.EACCES) return failure('PROGRAM_NOT_EXECUTABLE', `exec: ${quoted}: permission denied`);
  return failure('PROGRAM_NOT_EXECUTABLE', `exec ${name}: ${errnoMessage(errno).toLowerCase()}`);
}
