import { CAPABILITIES, syscall, TsboxError } from '../kernel/index.ts';
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

/** Of this process: its permitted set. Asked once: nothing here changes it. */
export function ownCapabilities(): Set<string> {
  own ??= readOwnCapabilities();
  return own;
}

let own: Set<string> | undefined;

/** capget(2). /proc/self/status says the same, but takes the kernel and us ten times as long. */
function readOwnCapabilities(): Set<string> {
  // struct __user_cap_header_struct with our own PID as 0; two structs of effective, permitted and inheritable.
  const header = new Uint32Array([LINUX_CAPABILITY_VERSION_3, 0]);
  const data = new Uint32Array(6);
  syscall('capget', [header, data], { doing: 'ask for our own capabilities' });
  const permitted = [data[1] as number, data[4] as number];
  return new Set(
    CAPABILITIES.filter((_, number) => ((permitted[number >> 5] as number) >>> (number & 31)) & 1),
  );
}

const LINUX_CAPABILITY_VERSION_3 = 0x20080522;
