/**
 * Plans on disk. What a command line becomes depends on little: tsbox itself, the image, and what the host answers to some questions. So
 * for a plain `run --rm` that was there before, the plan is kept, laid out, with the questions and their answers; and the next time
 * the questions are asked again, the new id, the descriptors and the address are put in, and it is carried out. Whatever is not
 * exactly as it was makes it as good as none. docs/decisions/0007-kept-plans.md says why and for whom.
 */
export { keepPlan } from './keep.ts';
export { type KeptRun, openKept } from './open.ts';
