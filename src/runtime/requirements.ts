import { TsboxError } from '../kernel/index.ts';
import { hasOwn } from './namespaces.ts';
import type { PlanInput } from './plan-input.ts';

/**
 * What a kernel would refuse without saying why, or not do without saying so.
 *
 * @throws {TsboxError} KERNEL_TOO_OLD
 */
export function requireFeatures({ spec, overlay, kernel }: PlanInput): void {
  const isBefore = (major: number, minor: number) =>
    kernel.major < major || (kernel.major === major && kernel.minor < minor);
  const refuse = (what: string, needed: string, advice: string) => {
    const message = `${what} needs Linux ${needed} or newer; this is ${kernel.major}.${kernel.minor}`;
    throw new TsboxError('KERNEL_TOO_OLD', message, { advice });
  };
  // Before, overlayfs answers EINVAL for id-mapped layers.
  if (overlay && hasOwn(spec.linux, 'user') && isBefore(5, 19))
    refuse("a user namespace over an image's layers", '5.19', 'run without --userns');
  // Before, exec stays in the old time namespace, and the program's clocks would silently be the host's.
  if (hasOwn(spec.linux, 'time') && isBefore(6, 2))
    refuse('a clock of its own', '6.2', 'run without --time-offset');
}
