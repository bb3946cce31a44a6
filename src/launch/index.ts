/**
 * What a plan is, how it lies in memory, how it is run, explained and timed. Nothing here knows what a mount is for:
 * src/runtime/ decides that, and fills in the plan.
 */
export { Arena } from './arena.ts';
export { type CloneOptions, cloneStep } from './clone.ts';
export { formatPlan, planToJson } from './explain.ts';
export { layOut } from './lay-out.ts';
export { leftOpen } from './leftovers.ts';
export {
  AGAIN,
  type Argument,
  allSteps,
  flags,
  named,
  octal,
  type Plan,
  type Printed,
  Slot,
  type Step,
  type Struct,
} from './plan.ts';
export { formatProfile } from './profile.ts';
export { carryOut, failureError, type ProfileEntry, profileOf, runPlan } from './run.ts';
