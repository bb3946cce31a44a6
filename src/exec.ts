/** The library's part about programs in containers that run already, each function loaded when it is called. */
export type { ExecOptions, ExecProcess, ExecStatus, KeptProcess } from './engine/exec/index.ts';

import type { ExecOptions, ExecProcess, KeptProcess } from './engine/exec/index.ts';
import type { Plan } from './launch/index.ts';

/**
 * Starts a program in a running container and resolves once it runs. It ends with the thread that started it, and with the container.
 *
 * @param reference the container's name, id, or a unique beginning of its id
 * @throws {TsboxError} NO_CONTAINER, NOT_RUNNING, PAUSED, NO_USER, BAD_OPTION; `exitCode` is 127 or 126 where the program is not there
 *   or cannot be run, otherwise 125
 */
export async function exec(
  reference: string,
  command: readonly string[],
  options?: ExecOptions,
): Promise<ExecProcess> {
  const { exec } = await import('./engine/exec/index.ts');
  return exec(reference, command, options);
}

/**
 * Starts a program in a running container that goes on when this process ends, until it or the container ends. Its streams are /dev/null.
 *
 * @returns its PID on the host
 * @throws {TsboxError} as `exec` does
 */
export async function execDetached(
  reference: string,
  command: readonly string[],
  options?: ExecOptions,
): Promise<number> {
  const { execDetached } = await import('./engine/exec/index.ts');
  return execDetached(reference, command, options);
}

/**
 * Starts a program with a terminal in a running container that can be let go of (`detach`), and that goes on when this process ends.
 *
 * @throws {TsboxError} as `exec` does
 */
export async function execDetachable(
  reference: string,
  command: readonly string[],
  options: Omit<ExecOptions, 'tty'> = {},
): Promise<KeptProcess> {
  const { execDetachable } = await import('./engine/exec/index.ts');
  return execDetachable(reference, command, options);
}

/** What `exec` would do, without doing it. @throws {TsboxError} as `exec` does */
export async function explainExec(
  reference: string,
  command: readonly string[],
  options?: ExecOptions,
): Promise<Plan> {
  const { explainExecIn } = await import('./engine/exec/index.ts');
  return explainExecIn(reference, command, options);
}
