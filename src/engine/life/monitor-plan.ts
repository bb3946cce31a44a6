import { writeSync } from 'node:fs';
import { cString, selfCommand, syscall } from '../../kernel/index.ts';
import { type Arena, layOut } from '../../launch/index.ts';
import { type ContainerPlan, type PlanInput, planContainer } from '../../runtime/index.ts';
import type { NetworkStart } from '../network/index.ts';
import type { LogSettings } from './log-options.ts';

/** The container's plan, laid out for the monitor: with its numbers for descriptors, at an address that is free in it, in memory that can be passed on. */
export function layOutForMonitor(
  input: Omit<PlanInput, 'stdio' | 'ready'>,
  network: NetworkStart | undefined,
  tty: boolean,
  size: { columns: number; rows: number } | undefined,
): { plan: ContainerPlan; arena: Arena; memory: number } {
  const stdio = tty ? { terminalSocket: 8, size } : { stdin: 8, stdout: 9, stderr: 10 };
  const plan = planContainer({ ...input, ...networkOf(network), stdio, ready: 7, reader: 17 });
  const arena = layOut(plan, { base: BASE });
  const doing = 'make memory for the plan';
  const memory = syscall('memfd_create', [cString('tsbox-plan'), 1 /* MFD_CLOEXEC */], { doing });
  for (let written = 0; written < arena.bytes.length; )
    written += writeSync(memory, arena.bytes, written, arena.bytes.length - written, written);
  return { plan, arena, memory };
}

/** What a plan for the monitor has instead of our descriptors. */
function networkOf(network: NetworkStart | undefined): Partial<PlanInput> {
  const { networkSocket, networkNamespace, ...rest } = network?.input ?? {};
  return {
    ...rest,
    ...(networkSocket !== undefined && { networkSocket: 16 }),
    ...(networkNamespace !== undefined && { networkNamespace: 16 }),
  };
}

/** What native/monitor.c is told besides: in the order of its usage. */
export function monitorArguments(
  id: string,
  plan: ContainerPlan,
  arena: Arena,
  settings: LogSettings & {
    tty: boolean;
    cgroup: string | undefined;
    health?: [usual: number, starting: number];
  },
): string[] {
  return [
    'run',
    BASE,
    arena.bytes.length,
    arena.slotIndex(plan.pid),
    plan.pidfd === undefined ? -1 : arena.slotIndex(plan.pidfd),
    plan.helper === undefined ? -1 : arena.slotIndex(plan.helper.pid),
    settings.tty ? 1 : 0,
    settings.maxSize,
    settings.maxFiles,
    settings.health?.join(' ') ?? 0,
    settings.cgroup ?? '',
    ...selfCommand(),
    'system',
    'ended',
    id,
  ].map(String);
}

/** In the low part of the address space, which 39-bit arm64 has too, and where a static program has nothing. */
const BASE = 0x1000000000;
