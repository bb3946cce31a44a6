/**
 * The OCI runtime specification: a container's configuration in, a plan out. Computes only; src/launch/ carries the plan out. Most of what there
 * is to know about making a container is here, and all of it can be tested without root.
 */

export type { Bystander } from './bystander.ts';
export type { CgroupPlan } from './cgroup-steps.ts';
export { hostFacts, pathsOfHostFacts } from './container.ts';
export type { CopiedUp } from './copy-up.ts';
export type { SeccompFilter } from './identity.ts';
export { type ContainerPlan, planContainer } from './plan.ts';
export type { Held, PlanInput, ProvidedFile } from './plan-input.ts';
export { isExec, type Stdio, searchPath, type TerminalStdio } from './program.ts';
export type { OverlayRootfs } from './rootfs.ts';
export * from './spec.ts';
