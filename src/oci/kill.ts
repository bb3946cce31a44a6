import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { killCgroup } from '../cgroup/kill.ts';
import { closeDescriptor, openProcess, signalPidfd } from '../kernel/index.ts';
import { signalNumber } from '../kernel/signals.ts';
import { failure, type Place, readState, type StateRecord, statusOf } from './state.ts';

/** Sends a signal to the container's first process, or to all of its group. @throws {TsboxError} in the words that containerd looks for */
export function kill(place: Place, id: string, signal: string, all = false): void {
  const number = signalNumber(signal);
  if (number === undefined) throw failure('BAD_OPTION', `unknown signal ${JSON.stringify(signal)}`);
  const state = readState(place, id);
  if (all) {
    signalAll(state, number);
    return;
  }
  const status = statusOf(place, state);
  if (status === 'stopped' || status === 'creating' || !signalInit(state, number))
    throw failure('NOT_RUNNING', 'container not running');
}

/** False where it has ended. */
export function signalInit({ init }: StateRecord, signal: number): boolean {
  if (init === undefined) return false;
  const pidfd = openProcess(init);
  if (pidfd === undefined) return false;
  try {
    return signalPidfd(pidfd, signal);
  } finally {
    closeDescriptor(pidfd);
  }
}

function signalAll({ cgroup }: StateRecord, signal: number): void {
  if (signal === SIGKILL) {
    killCgroup(cgroup);
    return;
  }
  for (const pid of processesOf(cgroup)) {
    const pidfd = openProcess({ pid });
    if (pidfd === undefined) continue;
    // Asked again after it was opened: its PID may be another's by now.
    if (processesOf(cgroup).includes(pid)) signalPidfd(pidfd, signal);
    closeDescriptor(pidfd);
  }
}

const SIGKILL = 9;

/** The PIDs of a group and of those below it; none where it is gone. */
export function processesOf(cgroup: string): number[] {
  try {
    const own = readFileSync(join(cgroup, 'cgroup.procs'), 'latin1').split('\n').filter(Boolean).map(Number);
    const below = readdirSync(cgroup, { withFileTypes: true }).filter((entry) => entry.isDirectory());
    return [...own, ...below.flatMap(({ name }) => processesOf(join(cgroup, name)))];
  } catch {
    return [];
  }
}
