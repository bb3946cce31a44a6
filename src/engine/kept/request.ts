import type { RunOptions } from '../run-options.ts';

/** A command line, as read. */
export interface KeptRequest {
  image: string;
  command: string[];
  options: RunOptions;
  attach: string[];
}

/**
 * Whether its plan may be kept: it removes itself, and has only options that are the same thing tomorrow. Not variables, which are often
 * secrets and would then be on disk; not what is a file of the host, or a name that only one may have.
 */
export function isPlain({ options }: Pick<KeptRequest, 'options'>): boolean {
  return options.rm === true && Object.keys(options).every((name) => PLAIN.has(name));
}

const NAMES: readonly (keyof RunOptions)[] = [
  ...(['rm', 'interactive', 'workdir', 'hostname', 'network', 'readOnly', 'capDrop'] as const),
  ...(['memory', 'memoryReservation', 'memorySwap', 'cpus', 'cpuShares', 'cpuWeight', 'pidsLimit'] as const),
];
const PLAIN = new Set<string>(NAMES);
