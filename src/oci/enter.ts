import { readSync } from 'node:fs';
import { closeDescriptor, openPidfd, openProcess, pipe, reap, signalPidfd } from '../kernel/index.ts';
import { enterProgram, planFile } from '../launch/enter-program.ts';
import { failureError, layOut, leftOpen, runPlan } from '../launch/index.ts';
import { planEntry } from '../runtime/entry-plan.ts';
import type { ExecInput } from '../runtime/exec-input.ts';
import { planHelper } from '../runtime/helper-plan.ts';
import type { Config } from './config/index.ts';
import { stepError } from './explain.ts';
import { failure, type StateRecord } from './state.ts';

/**
 * Starts a program in a container, as the child of this process, and returns once it is there.
 *
 * @param input.born is told its PID, for which it may wait
 * @returns its PID and a pidfd, which is the caller's
 * @throws {TsboxError}
 */
export function enter(
  state: StateRecord,
  config: Config,
  input: Omit<ExecInput, 'id' | 'spec' | 'cgroup'> & { born: (pid: number) => void },
): { pid: number; pidfd: number } {
  const container = state.init && openProcess(state.init);
  if (container === undefined) throw failure('NOT_RUNNING', 'container not running');
  const whole: ExecInput = { ...input, id: state.id, spec: config, cgroup: state.cgroup };
  const entry = planEntry(whole);
  const arena = layOut(entry, { base: PLAN_BASE });
  const ready = pipe();
  const plan = planFile(arena.bytes);
  try {
    const helping = planHelper({
      ...whole,
      container,
      enter: enterProgram(),
      plan,
      outcomeLength: arena.outcomeLength,
      ready: ready.write,
    });
    const outcome = runPlan(helping);
    closeDescriptor(ready.write);
    const helper = outcome.slot(helping.helper.pid) > 0 ? outcome.slot(helping.helper.pidfd) : undefined;
    const refused = outcome.failure();
    if (refused) for (const slot of leftOpen(helping, outcome)) closeDescriptor(outcome.slot(slot));
    // It ends as soon as it has cloned the program.
    if (helper !== undefined) {
      reap(helper, { wait: true });
      closeDescriptor(helper);
    }
    if (refused) throw failureError(refused);
    readSync(plan, arena.bytes, 0, arena.outcomeLength, 0);
    const pid = arena.slot(entry.pid);
    if (pid > 0) input.born(pid);
    const said = readAll(ready.read);
    if (said.length >= arena.outcomeLength) arena.bytes.set(said.subarray(said.length - arena.outcomeLength));
    const failed = arena.failure();
    if (failed === undefined && pid > 0) return { pid, pidfd: openPidfd(pid) };
    if (pid > 0) reap(openPidfd(pid), { wait: true });
    if (failed) throw stepError(failed.step, failed.errno, input.process.args);
    throw signalPidfd(container, 0)
      ? failure('EXEC_FAILED', 'the start of the program was killed')
      : failure('NOT_RUNNING', 'container not running');
  } finally {
    for (const fd of [ready.read, plan, container]) closeDescriptor(fd);
  }
}

const PLAN_BASE = 0x1000000000;

/** Until all that hold the other end have executed or are dead. */
function readAll(fd: number): Buffer {
  const pieces: Buffer[] = [];
  for (;;) {
    const piece = Buffer.alloc(65536);
    const got = readSync(fd, piece, 0, piece.length, null);
    if (got === 0) return Buffer.concat(pieces);
    pieces.push(piece.subarray(0, got));
  }
}
