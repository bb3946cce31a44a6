/**
 * Containers with a life of their own: made, started, stopped and started again by any tsbox, and kept by a monitor (native/monitor.c) while they run.
 * What is true of one is on disk, in its directory; docs/lifecycle.md says which file is whose. Nothing here is needed by `tsbox run` in the
 * foreground, which is its container's parent itself.
 */
export { type Attachment, attach } from './attach.ts';
export { create } from './create.ts';
export { ended, restartNow } from './ended.ts';
export { container } from './handle.ts';
export type { DetachedContainer } from './interface.ts';
export { killContainer } from './kill.ts';
export { type LogLine, type LogOptions, readLogBatches } from './log/index.ts';
export { restartContainer } from './restart.ts';
export { runDetached } from './run-detached.ts';
export { startContainer } from './start.ts';
export { startAfterBoot, stopForShutdown } from './start-after-boot.ts';
export type { StartRequest } from './start-detached.ts';
export { type StopOptions, stopContainer } from './stop.ts';
export { waitForContainer } from './wait.ts';
