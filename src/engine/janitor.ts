import { closeSync, openSync, writeSync } from 'node:fs';
import { closeDescriptor, nativeFile, pipe, reap, selfCommand } from '../kernel/index.ts';
import { type Arena, cloneStep, type Plan, runPlan, Slot, type Step } from '../launch/index.ts';

/**
 * Starts the janitor of this process, once: a tiny program that waits for our end and, unless that was an orderly one, has `tsbox system sweep` remove what we
 * had no chance to. PR_SET_PDEATHSIG ends our containers, but a cgroup and a writable layer are directories, and nobody else would remove them
 * after a kill -9.
 *
 * It is started by a plan, like a container: node:child_process would take 4.5 ms to load.
 *
 * @param cleanUp called when this process or worker thread ends: ends what still runs, and says whether nothing is left
 */
export function startJanitor(cleanUp: () => boolean): void {
  if (janitor !== undefined) return;
  const ends = pipe();
  // Opened by Node, which then closes it also where a worker thread is terminated, without any event.
  const write = openSync(`/proc/self/fd/${ends.write}`, 'w');
  closeDescriptor(ends.write);
  const pid = new Slot('janitor');
  const pidfd = new Slot('janitor_pidfd');
  try {
    janitor = runPlan(janitorPlan(ends.read, pid, pidfd));
  } finally {
    closeDescriptor(ends.read);
  }
  process.on('exit', () => {
    try {
      if (!cleanUp()) return;
      // `q` says that nothing is left to do. Without it the janitor sees only the end of the pipe.
      writeSync(write, 'q');
      closeSync(write);
      // It ends at once. Not every machine's PID 1 (in a container, say) waits for orphans.
      if (janitor === undefined || janitor.slot(pid) <= 0) return;
      reap(janitor.slot(pidfd), { wait: true });
      closeDescriptor(janitor.slot(pidfd));
    } catch {
      // Somebody has killed it, or something could not be removed. Either way our exit status is the program's.
    }
  });
}

/** Kept for good: the clone lives in this memory until it has exec'd, and nobody waits for that. */
let janitor: Arena | undefined;

function janitorPlan(read: number, pid: Slot, pidfd: Slot): Plan {
  const stage = 'Janitor';
  const file = nativeFile('janitor');
  const sweep = [...selfCommand(), 'system', 'sweep'];
  const environment = process.env.TSBOX_ROOT ? [`TSBOX_ROOT=${process.env.TSBOX_ROOT}`] : [];
  const child: Step[] = [
    { stage, call: 'dup3', args: [read, 0, 0], why: 'the pipe that ends with us' },
    {
      stage,
      call: 'execve',
      args: [file, { strings: [file, ...sweep] }, { strings: environment }],
      why: 'become the janitor',
    },
  ];
  const clone = cloneStep({
    stage,
    why: 'a process that outlives us',
    flags: ['CLONE_VM', 'CLONE_PIDFD', 'CLONE_CLEAR_SIGHAND'],
    pidfd,
    exitSignal: 17,
    pid,
    child,
  });
  return { steps: [clone] };
}
