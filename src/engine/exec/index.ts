/**
 * Programs in containers that already run. The plan is in two parts, of which src/runtime/entry-plan.ts says why; here is what they
 * depend on: which container, its configuration, its users as it has them now, our streams.
 */
import { closeDescriptor, pipe, TsboxError } from '../../kernel/index.ts';
import type { Plan } from '../../launch/index.ts';
import { explainExec } from '../../runtime/exec-plan.ts';
import { openStreams, openTerminalStreams, type Streams } from '../streams.ts';
import { ExecNotes } from './exec-notes.ts';
import { ExecProcess } from './exec-process.ts';
import { KeptProcess } from './kept-process.ts';
import { execKind } from './kind.ts';
import { launch } from './launch.ts';
import type { ExecOptions } from './options.ts';
import { openTarget, type Target } from './target.ts';

export type { ExecProcess, ExecStatus } from './exec-process.ts';
export type { KeptProcess } from './kept-process.ts';
export type { ExecOptions } from './options.ts';

/**
 * Starts a program in a running container and resolves once it runs.
 *
 * @param reference the container's name, id, or a unique beginning of its id
 * @throws {TsboxError} NO_CONTAINER, NOT_RUNNING, PAUSED, NO_USER, BAD_OPTION; `exitCode` is 127 or 126 where the program is not there
 *   or cannot be run, otherwise 125
 */
export async function exec(
  reference: string,
  command: readonly string[],
  options: ExecOptions = {},
): Promise<ExecProcess> {
  options.signal?.throwIfAborted();
  const target = await openSoon(reference);
  let streams: Streams | undefined;
  try {
    const kind = execKind(target, command, options);
    streams = chooseStreams(options, kind.owner);
    const entered = await launch(target, kind, streams.child, streams.release);
    const notes = new ExecNotes(target.record, command);
    const program = new ExecProcess(entered, await streams.connect(), options.mayBlock ?? false, (status) =>
      notes.died(status),
    );
    followSignal(program, options.signal);
    return program;
  } catch (error) {
    streams?.abandon();
    throw error;
  } finally {
    closeDescriptor(target.pidfd);
  }
}

/**
 * Starts a program in a running container that goes on when this process ends, until it or the container ends. Its streams are /dev/null; with `tty` it has
 * a terminal of which nobody reads.
 *
 * @returns its PID on the host
 * @throws {TsboxError} as `exec` does
 */
export async function execDetached(
  reference: string,
  command: readonly string[],
  options: ExecOptions = {},
): Promise<number> {
  const target = await openSoon(reference);
  let streams: Streams | undefined;
  try {
    const more = { detached: true, ...(options.tty && { keep: {} }) };
    const kind = execKind(target, command, options, more);
    streams = chooseStreams({ ...options, stdin: 'ignore', stdout: 'ignore', stderr: 'ignore' }, kind.owner);
    const { pid } = await launch(target, kind, streams.child, streams.release);
    new ExecNotes(target.record, command);
    return pid;
  } finally {
    streams?.abandon();
    closeDescriptor(target.pidfd);
  }
}

/**
 * Starts a program with a terminal in a running container, which can be let go of: `detach`. It also goes on when this process ends without
 * having done so.
 *
 * @throws {TsboxError} as `exec` does
 */
export async function execDetachable(
  reference: string,
  command: readonly string[],
  options: Omit<ExecOptions, 'tty'> = {},
): Promise<KeptProcess> {
  const target = await openSoon(reference);
  const status = pipe();
  const streams = openTerminalStreams(options.size);
  const release = () => {
    streams.release();
    closeDescriptor(status.write);
  };
  try {
    const more = { detached: true, keep: { status: status.write } };
    const kind = execKind(target, command, { ...options, tty: true }, more);
    const { pid } = await launch(target, kind, streams.child, release);
    const notes = new ExecNotes(target.record, command);
    return new KeptProcess(pid, status.read, await streams.connect(), {
      ended: (how) => notes.died(how),
      detached: () => notes.detached(),
    });
  } catch (error) {
    closeDescriptor(status.read);
    streams.abandon();
    throw error;
  } finally {
    closeDescriptor(target.pidfd);
  }
}

/** What `exec` would do, without doing it. @throws {TsboxError} as `exec` does */
export function explainExecIn(
  reference: string,
  command: readonly string[],
  options: ExecOptions = {},
): Plan {
  const target = openTarget(reference);
  try {
    const stdio = options.tty ? { terminalSocket: 6 } : { stdin: 0, stdout: 1, stderr: 2 };
    return explainExec({ ...execKind(target, command, options).input, stdio });
  } finally {
    closeDescriptor(target.pidfd);
  }
}

/** A container's record says that it runs a moment before its configuration is there: nobody waits for that at its start. */
async function openSoon(reference: string): Promise<Target> {
  for (let attempt = 0; ; attempt++) {
    try {
      return openTarget(reference);
    } catch (error) {
      if (!(error instanceof TsboxError) || error.code !== 'NO_CONFIG' || attempt === 50) throw error;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
}

function chooseStreams(options: ExecOptions, owner: number): Streams {
  if (options.tty) return openTerminalStreams(options.size);
  const { stdin = 'pipe', stdout = 'pipe', stderr = 'pipe' } = options;
  return openStreams({ stdin, stdout, stderr }, owner);
}

function followSignal(program: ExecProcess, signal: AbortSignal | undefined): void {
  if (signal === undefined) return;
  const kill = () => program.kill('SIGKILL').catch(() => {});
  if (signal.aborted) kill();
  signal.addEventListener('abort', kill);
  program
    .wait()
    .finally(() => signal.removeEventListener('abort', kill))
    .catch(() => {});
}
