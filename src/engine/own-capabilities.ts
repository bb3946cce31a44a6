import { readFileSync } from 'node:fs';
import { CAPABILITIES, TsboxError } from '../kernel/index.ts';
import type { Spec } from '../runtime/index.ts';
import type { RunOptions } from './run-options.ts';

/**
 * Nobody can give what he does not have: inside another container, or in a service with a bounding set, this process lacks some of root's capabilities.
 * What was asked for by name and cannot be given is an error; "all of them" means all of ours.
 *
 * @throws {TsboxError} NO_CAPABILITY
 */
export function fitCapabilities(spec: Spec, options: RunOptions): void {
  const sets = spec.process.capabilities;
  if (sets === undefined) return;
  const own = ownCapabilities();
  for (const name of options.capAdd ?? []) {
    const full = name.toUpperCase().startsWith('CAP_') ? name.toUpperCase() : `CAP_${name.toUpperCase()}`;
    if (own.has(full) || !sets.bounding?.includes(full)) continue;
    throw new TsboxError(
      'NO_CAPABILITY',
      `--cap-add ${name}: tsbox does not have ${full} itself, so it cannot give it`,
      {
        advice:
          "run tsbox with all of root's capabilities; in a container, that one needs the capability too",
      },
    );
  }
  for (const kind of ['bounding', 'effective', 'permitted', 'inheritable', 'ambient'] as const) {
    sets[kind] = sets[kind]?.filter((name) => own.has(name));
  }
}

/** Of this process: proc_pid_status(5), `CapPrm`. Everything, where there is no /proc to ask. Asked once: nothing here changes them. */
export function ownCapabilities(): Set<string> {
  own ??= readOwnCapabilities();
  return own;
}

let own: Set<string> | undefined;

function readOwnCapabilities(): Set<string> {
  const mask = /^CapPrm:\s*([0-9a-f]+)$/m.exec(readFileSync('/proc/self/status', 'latin1'))?.[1];
  const bits = BigInt(`0x${mask ?? 'ffffffffffffffff'}`);
  return new Set(CAPABILITIES.filter((_, number) => (bits >> BigInt(number)) & 1n));
}
