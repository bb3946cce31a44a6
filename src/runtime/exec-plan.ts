import type { Plan } from '../launch/index.ts';
import { planEntry } from './entry-plan.ts';
import type { ExecInput } from './exec-input.ts';
import { planHelper } from './helper-plan.ts';

/** Both plans as one list, in the order in which they are carried out: to be shown, not to be run. */
export function explainExec(input: ExecInput): Plan {
  const entry = planEntry(input);
  const descriptors = { container: 9, enter: 10, plan: 11, ready: 12, outcomeLength: 0 };
  const { steps } = planHelper({ ...input, ...descriptors });
  return {
    steps: steps.map((step) => (step.child ? { ...step, child: [...step.child, ...entry.steps] } : step)),
  };
}
