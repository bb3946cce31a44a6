import { performance } from 'node:perf_hooks';
import { formatProfile, type ProfileEntry } from '../../index.ts';

/**
 * Where the time went, from the start of the process: Node's and tsbox's own start before the system calls.
 *
 * @param loaded when our code had been read and the command line understood, by process.hrtime.bigint()
 */
export function profileText(calls: readonly ProfileEntry[], loaded: bigint): string {
  return formatProfile([...ownStart(loaded, calls[0]?.began), ...calls], process.stderr.columns ?? 100);
}

function ownStart(loaded: bigint, firstCall: bigint | undefined): ProfileEntry[] {
  // The same clock: performance.now() counts milliseconds from the start of the process on CLOCK_MONOTONIC.
  const origin = process.hrtime.bigint() - nanoseconds(performance.now());
  const ready = origin + nanoseconds(performance.nodeTiming.bootstrapComplete);
  return [
    entry('Node starts', 'node', 'V8 and Node begin', origin, ready),
    entry('tsbox starts', 'read', 'tsbox is read, the flags too', ready, loaded),
    entry('tsbox starts', 'compute', 'image and options become a plan', loaded, firstCall ?? loaded),
  ];
}

function entry(stage: string, call: string, why: string, began: bigint, ended: bigint): ProfileEntry {
  return { stage, call, why, began, ended };
}

function nanoseconds(milliseconds: number): bigint {
  return BigInt(Math.round(milliseconds * 1e6));
}
