import type { Arena } from './arena.ts';
import type { Plan, Slot } from './plan.ts';

/**
 * The slots with descriptors that the plan's own steps opened in this process and did not close: where one of them failed, the ones
 * after it, which would have, were not carried out. Without pidfds: those belong to whoever reaps the process.
 */
export function leftOpen(plan: Plan, arena: Arena): Slot[] {
  const succeeded = new Set(
    arena
      .outcomes()
      .filter(({ errno }) => errno === 0)
      .map(({ step }) => step),
  );
  const open = new Set<Slot>();
  for (const step of plan.steps) {
    if (!succeeded.has(step)) continue;
    if (step.call === 'close') open.delete(step.args[0] as Slot);
    else if (step.save !== undefined && step.call !== 'clone3') open.add(step.save);
  }
  return [...open];
}
