/** For the command only: plans that are kept on disk for the next time. */
export { type KeptRun, keepPlan, openKept } from './engine/kept/index.ts';
export { TsboxError } from './kernel/index.ts';
