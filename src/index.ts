/**
 * tsbox as a library.
 *
 * ```ts
 * import { run } from 'tsbox';
 *
 * await using box = await run('alpine', ['sh', '-c', 'echo hi'], { memory: '64m' });
 * for await (const chunk of box.stdout) process.stdout.write(chunk);
 * const { code } = await box.wait();
 * ```
 *
 * Everything that the command does, it does through this file. Needs root.
 */
export * from './changes.ts';
export * from './containers.ts';
export type { Container, ContainerStats, ExitStatus, StartOptions, Stdio } from './engine/container.ts';
export { type Info, info } from './engine/info.ts';
export { didYouMean, parseEnvironment } from './engine/options/index.ts';
export type { ContainerRecord } from './engine/record.ts';
export { listContainers } from './engine/records.ts';
export { removeContainer } from './engine/remove.ts';
export { explain, run } from './engine/run.ts';
export type { RunOptions } from './engine/run-options.ts';
export { sweep, sweepAndList } from './engine/sweep.ts';
export * from './events.ts';
export * from './exec.ts';
export {
  findImage,
  listImages,
  parseReference,
  type Reference,
  type StoredImage,
  sweepImages,
} from './image/index.ts';
export * from './images.ts';
export { KernelError, showBytes, TsboxError } from './kernel/index.ts';
export {
  formatPlan,
  formatProfile,
  type Plan,
  type ProfileEntry,
  planToJson,
  type Step,
} from './launch/index.ts';
export * from './machine.ts';
export * from './management.ts';
export * from './networks.ts';
export * from './registries.ts';
export * from './volumes.ts';
