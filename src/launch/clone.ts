import { CLONE } from '../kernel/index.ts';
import { flags, type Printed, type Slot, type Step, type Struct } from './plan.ts';

export interface CloneOptions {
  stage: string;
  why: string;
  flags: (keyof typeof CLONE)[];
  /** 17 (SIGCHLD), or 0 with CLONE_PARENT, which takes the parent's. */
  exitSignal: number;
  /** Gets the PID; with CLONE_PARENT_SETTID before the new process does anything. */
  pid: Slot;
  /** Gets the pidfd, with CLONE_PIDFD. */
  pidfd?: Slot;
  /** The cgroup's descriptor, with CLONE_INTO_CGROUP. */
  cgroup?: Slot;
  child: Step[];
}

/** The interpreter needs a few hundred bytes a call; the rest is for the kernel's signal frames. */
const STACK_BYTES = 16 * 1024;

/** A clone3(2) step. The size of `struct clone_args` that has the `cgroup` field is 88 bytes (Linux 5.7). */
export function cloneStep(options: CloneOptions): Step {
  const word = flags(CLONE, ...options.flags);
  return {
    stage: options.stage,
    call: 'clone3',
    args: [cloneArgs(word, options), 88],
    why: options.why,
    save: options.pid,
    child: options.child,
  };
}

function cloneArgs(word: Printed, options: CloneOptions): Struct {
  const fields = new BigUint64Array(12);
  fields[0] = BigInt(word.value);
  fields[4] = BigInt(options.exitSignal);
  fields[6] = BigInt(STACK_BYTES);
  const parts = [`flags=${word.text}`, `stack_size=${STACK_BYTES}`];
  const early = options.flags.includes('CLONE_PARENT_SETTID');
  if (early) parts.push(`parent_tid=&${options.pid.name}`);
  if (options.exitSignal === 17) parts.push('exit_signal=SIGCHLD');
  if (options.cgroup) parts.push(`cgroup=${options.cgroup.name}`);
  if (options.pidfd) parts.push(`pidfd=&${options.pidfd.name}`);
  return {
    bytes: new Uint8Array(fields.buffer),
    text: `{${parts.join(', ')}}`,
    pointers: [
      ...(options.pidfd ? [{ offset: 8, to: { slotAddress: options.pidfd } }] : []),
      ...(early ? [{ offset: 24, to: { slotAddress: options.pid } }] : []),
      { offset: 40, to: { stack: STACK_BYTES } },
    ],
    slots: options.cgroup ? [{ offset: 80, slot: options.cgroup, width: 8 as const }] : [],
  };
}
