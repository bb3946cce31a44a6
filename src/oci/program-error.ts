import { Errno, errnoMessage } from '../kernel/errno.ts';
import type { TsboxError } from '../kernel/error.ts';
import { failure } from './state.ts';

/** native/plan.h: what `await` says of a child, above the kernel's errnos. */
const AWAIT_EXITED = 1000;
const AWAIT_SIGNALED = 1300;

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
