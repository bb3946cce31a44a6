/**
 * `tsbox doctor`: what this machine needs to run containers, whether it has it, what its lack costs, and how to fix that. A check a
 * function, one subject a file; each asks the machine by the interface `Machine`, so that every answer can be tested on any machine.
 *
 * Where the truth can be had by a harmless system call, the call is made (probes.ts). Only what such a call cannot tell is derived
 * from the kernel's version, and then the line says so.
 */
import { cgroupChecks } from './cgroup.ts';
import type { Check, Machine } from './check.ts';
import { filesystemChecks } from './filesystem.ts';
import { idMappedMounts } from './id-mapped-mounts.ts';
import { kernelChecks } from './kernel.ts';
import { thisMachine } from './machine.ts';
import { namespaceChecks } from './namespaces.ts';
import { networkChecks } from './network.ts';
import { root, rootDirectory } from './root.ts';
import { securityChecks } from './security.ts';
import { userNamespaceChecks } from './user-namespaces.ts';

export type { Check, Machine } from './check.ts';

/** All checks of the machine that this runs on. It changes nothing there, and never rejects. */
export async function doctor(machine: Machine = thisMachine()): Promise<Check[]> {
  return CHECKS.flatMap((check) => check(machine));
}

const CHECKS: ((machine: Machine) => Check | Check[])[] = [
  root,
  rootDirectory,
  kernelChecks,
  namespaceChecks,
  userNamespaceChecks,
  cgroupChecks,
  filesystemChecks,
  idMappedMounts,
  securityChecks,
  networkChecks,
];
