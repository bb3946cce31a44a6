import { Errno, type KernelError, TsboxError } from '../kernel/index.ts';
import { type Arena, failureError } from '../launch/index.ts';
import { isExec } from '../runtime/index.ts';
import type { Prepared } from './prepare.ts';

/** As a shell says it: 127 for a program that is not there, 126 for one that is and cannot be run. */
export function programError(
  prepared: Pick<Prepared, 'input' | 'built'>,
  arena: Arena,
  lastErrno: number,
): TsboxError | KernelError {
  // The reaper was not executed at all: that is our fault, not the program's.
  if (prepared.input.init !== undefined) return failureError({ step: lastExec(arena), errno: lastErrno });
  return execError(prepared.built.spec.process.args[0] ?? '', arena, lastErrno);
}

/** The same for a program without a reaper. */
export function execError(name: string, arena: Arena, lastErrno: number): TsboxError {
  const absent = lastErrno === Errno.ENOENT || lastErrno === Errno.ENOTDIR;
  const denied = arena.outcomes().some(({ step, errno }) => isExec(step) && errno === Errno.EACCES);
  // As execvp(3): one that was there and may not be run says more than the last directory, which has none.
  const errno = absent && denied ? Errno.EACCES : lastErrno;
  const quoted = `cannot run \`${name}\``;
  if (errno === Errno.ENOENT || errno === Errno.ENOTDIR) {
    const reason = name.includes('/') ? 'no such file in the image' : "not found in the image's PATH";
    return new TsboxError('PROGRAM_NOT_FOUND', `${quoted}: ${reason}`, {
      exitCode: 127,
      advice: name.includes('/')
        ? 'if it is there, the interpreter in its first line (#!), or its loader, is not'
        : undefined,
    });
  }
  if (errno === Errno.EACCES) {
    return new TsboxError('PROGRAM_NOT_EXECUTABLE', `${quoted}: permission denied`, {
      exitCode: 126,
      advice:
        'it must be a file with the execute bit, in directories that the user may enter, on a mount without noexec',
    });
  }
  if (errno === Errno.ENOEXEC) {
    return new TsboxError(
      'PROGRAM_NOT_EXECUTABLE',
      `${quoted}: not a program for this machine (exec format error)`,
      {
        exitCode: 126,
        advice: 'a script needs a first line such as #!/bin/sh; a binary must be for this processor',
      },
    );
  }
  return new TsboxError(
    'PROGRAM_NOT_EXECUTABLE',
    `${quoted}: ${failureError({ step: lastExec(arena), errno }).message}`,
    { exitCode: 126 },
  );
}

function lastExec(arena: Arena) {
  const execs = arena.outcomes().filter(({ step }) => isExec(step));
  return (execs[execs.length - 1] as (typeof execs)[number]).step;
}
