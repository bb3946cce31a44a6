import { TsboxError } from '../kernel/error.ts';
import { badLimit, limitOrMax } from './bounds.ts';
import type { LimitWrite } from './limit-write.ts';
import type { Resources } from './resources.ts';

/**
 * `limit` → memory.max, `reservation` → memory.low, `swap` (memory and swap together, as in v1) → memory.swap.max (swap alone).
 * Source: crun(1), "cgroup v2"; opencontainers/cgroups, ConvertMemorySwapToCgroupV2Value.
 */
export function memoryWrites(memory: Resources['memory']): LimitWrite[] {
  const writes: LimitWrite[] = [];
  if (memory === undefined) return writes;
  const add = (file: string, value: string, limit: string) =>
    writes.push({ file, value, controller: 'memory', limit });
  if (memory.disableOOMKiller) {
    throw new TsboxError(
      'LIMIT_UNAVAILABLE',
      'the OOM killer cannot be disabled: cgroup v2 has no such switch',
      {
        advice:
          'leave out disableOOMKiller; `--oom-score-adj` makes the container a less likely victim of the host',
      },
    );
  }
  if (memory.limit) add('memory.max', limitOrMax(memory.limit, LIMIT), LIMIT);
  if (memory.reservation) {
    const name = 'the memory reservation';
    add('memory.low', limitOrMax(memory.reservation, name), name);
  }
  const swap = swapMax(memory.swap ?? 0, memory.limit ?? 0);
  if (swap !== undefined) add('memory.swap.max', swap, SWAP);
  return writes;
}

const LIMIT = 'the memory limit';
const SWAP = 'the limit of memory and swap';

/** In v2 swap is counted alone, so what may be in memory is taken away from the sum. */
function swapMax(sum: number, memory: number): string | undefined {
  // Unlimited memory with swap not mentioned is unlimited swap, as v1 had it.
  if (sum === 0) return memory === -1 ? 'max' : undefined;
  const text = limitOrMax(sum, SWAP);
  if (sum === -1 || memory === -1) return text;
  if (memory === 0) badLimit(SWAP, sum, 'given together with a memory limit');
  if (sum < memory) badLimit(SWAP, sum, `no less than the memory limit, ${memory}, which it includes`);
  return String(sum - memory);
}
