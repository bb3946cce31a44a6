import { readFileSync } from 'node:fs';

/**
 * Watches the memory of a process, all its threads included (VmHWM of proc_pid_status(5)), until it ends.
 *
 * @returns a function that ends the watch and gives the peak, in bytes
 */
export function watchMemory(pid: number): () => number {
  let peak = 0;
  const look = setInterval(() => {
    try {
      const status = readFileSync(`/proc/${pid}/status`, 'latin1');
      peak = Math.max(peak, Number(/VmHWM:\s+(\d+)/.exec(status)?.[1] ?? 0) * 1024);
    } catch {
      // It is gone.
    }
  }, 5);
  return () => {
    clearInterval(look);
    if (peak === 0) throw new Error(`process ${pid} was never seen`);
    return peak;
  };
}
