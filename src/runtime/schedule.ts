import { Errno, fields } from '../kernel/index.ts';
import { named } from '../launch/index.ts';
import type { Process } from './spec.ts';
import type { Stage } from './stage.ts';

/** How the program is scheduled, while there still is the capability to say so: sched_setattr(2), ioprio_set(2). */
export function schedule(stage: Stage, { scheduler, ioPriority }: Process): void {
  if (ioPriority) {
    const { class: name, priority } = ioPriority;
    const word = named(`${name}, ${priority}`, ((IOPRIO_CLASSES[name] ?? 0) << 13) | priority);
    const who = named('IOPRIO_WHO_PROCESS', 1);
    stage.call('ioprio_set', [who, 0, word], 'its place among who reads and writes disks');
  }
  if (scheduler) {
    const bytes = Buffer.alloc(48);
    const view = fields(bytes);
    const bits = (scheduler.flags ?? []).reduce((sum, name) => sum | (SCHED_FLAGS[name] ?? 0), 0);
    view.setUint32(0, bytes.length, true);
    view.setUint32(4, SCHED_POLICIES[scheduler.policy] ?? 0, true);
    view.setBigUint64(8, BigInt(bits), true);
    view.setInt32(16, scheduler.nice ?? 0, true);
    view.setUint32(20, scheduler.priority ?? 0, true);
    for (const [index, name] of (['runtime', 'deadline', 'period'] as const).entries())
      view.setBigUint64(24 + 8 * index, BigInt(scheduler[name] ?? 0), true);
    const text = `{${scheduler.policy}, nice=${scheduler.nice ?? 0}, priority=${scheduler.priority ?? 0}}`;
    stage.call('sched_setattr', [0, { bytes, text }, 0], 'how it is scheduled');
  }
}

/**
 * sched_setaffinity(2)
 *
 * @param list of CPUs: `0-3,7`
 * @param anywhere whether it is no failure that its group may use none of them
 */
export function setAffinity(stage: Stage, list: string, anywhere = false): void {
  const mask = Buffer.alloc(MOST_CPUS / 8);
  for (const range of list.split(',')) {
    const [first = 0, last = first] = range.split('-').map(Number);
    for (let cpu = first; cpu <= last && cpu < MOST_CPUS; cpu++)
      mask[cpu >> 3] = (mask[cpu >> 3] ?? 0) | (1 << (cpu & 7));
  }
  stage.call(
    'sched_setaffinity',
    [0, mask.length, { bytes: mask, text: `{${list}}` }],
    'the CPUs it may use',
    anywhere ? { tolerate: [Errno.EINVAL] } : {},
  );
}

/** include/linux/threads.h: no kernel has more. */
export const MOST_CPUS = 8192;

export const IOPRIO_CLASSES: Record<string, number> = {
  __proto__: null as never,
  IOPRIO_CLASS_RT: 1,
  IOPRIO_CLASS_BE: 2,
  IOPRIO_CLASS_IDLE: 3,
};

export const SCHED_POLICIES: Record<string, number> = {
  __proto__: null as never,
  SCHED_OTHER: 0,
  SCHED_FIFO: 1,
  SCHED_RR: 2,
  SCHED_BATCH: 3,
  SCHED_ISO: 4,
  SCHED_IDLE: 5,
  SCHED_DEADLINE: 6,
};

export const SCHED_FLAGS: Record<string, number> = {
  __proto__: null as never,
  SCHED_FLAG_RESET_ON_FORK: 1,
  SCHED_FLAG_RECLAIM: 2,
  SCHED_FLAG_DL_OVERRUN: 4,
  SCHED_FLAG_KEEP_POLICY: 8,
  SCHED_FLAG_KEEP_PARAMS: 16,
  SCHED_FLAG_UTIL_CLAMP_MIN: 32,
  SCHED_FLAG_UTIL_CLAMP_MAX: 64,
};
