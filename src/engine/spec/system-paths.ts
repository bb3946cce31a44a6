import type { Host } from '../host.ts';
import { readList } from '../options/index.ts';

/**
 * What a container must not read: kernel memory, keys, and what tells about the machine's hardware and its other programs. Docker's list,
 * with the power meters (CVE-2020-8694, by which other programs' secrets were read), and with /proc/interrupts and the CPUs' thermal
 * counters, by which their activity is (moby's GHSA-6fw5-f8r9-fgfm).
 */
export function maskedPaths(host: Host): string[] {
  const cpus = readList(host.readText('/sys/devices/system/cpu/possible')?.trim() ?? '') ?? [];
  const counters = cpus
    .map((cpu) => `/sys/devices/system/cpu/cpu${cpu}/thermal_throttle`)
    .filter((path) => host.exists(path));
  return [
    '/proc/acpi',
    '/proc/asound',
    '/proc/interrupts',
    '/proc/kcore',
    '/proc/keys',
    '/proc/latency_stats',
    '/proc/sched_debug',
    '/proc/scsi',
    '/proc/timer_list',
    '/proc/timer_stats',
    '/sys/devices/virtual/powercap',
    '/sys/firmware',
    ...counters,
  ];
}

/** What a container may look at but not change, because it would change the whole machine. Docker's list. */
export const readonlyPaths: readonly string[] = [
  '/proc/bus',
  '/proc/fs',
  '/proc/irq',
  '/proc/sys',
  '/proc/sysrq-trigger',
];
