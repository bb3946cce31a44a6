import { enterProgram, planFile } from '../../launch/enter-program.ts';
import { layOut } from '../../launch/index.ts';

/**
 * A process that does nothing until it is ended: systemd makes no scope without one, and the container's is to begin in its group. It is native/enter.c
 * with a plan of one step.
 */
export function startHolder(): { pid: number; end(): void } {
  const byte = { bytes: Buffer.alloc(8), text: 'byte' };
  const plan = {
    steps: [{ stage: 'Hold', call: 'read' as const, args: [0, byte, 1], why: 'until it is ended' }],
  };
  const arena = layOut(plan, { base: PLAN_BASE });
  const { spawn } = process.getBuiltinModule('node:child_process');
  const child = spawn(`/proc/self/fd/${enterProgram()}`, [String(arena.outcomeLength), 'leave', '4'], {
    argv0: 'tsbox-hold',
    env: {},
    // 3 is the plan, 4 would take what has failed.
    stdio: ['pipe', 'ignore', 'ignore', planFile(arena.bytes), 'ignore'],
  });
  child.on('error', () => {});
  child.stdin?.on('error', () => {});
  return {
    pid: child.pid ?? 0,
    end: () => {
      child.kill('SIGKILL');
      child.unref();
      child.stdin?.destroy();
    },
  };
}

/** Where native/plan.h says that the plan of another program lies. */
const PLAN_BASE = 0x1000000000;
