import {
  CAPABILITIES,
  Errno,
  fields,
  PR,
  PR_CAP_AMBIENT,
  SECCOMP,
  SECCOMP_FILTER_FLAG,
  TsboxError,
} from '../kernel/index.ts';
import { flags, named, octal, Slot, type Struct } from '../launch/index.ts';
import { readMessage, type SeccompListener, sendListener } from './seccomp-listener.ts';
import type { Capabilities, Process } from './spec.ts';
import type { Stage } from './stage.ts';
import { words } from './structs.ts';

export interface SeccompFilter {
  /** An array of `struct sock_filter`. */
  filter: Uint8Array;
  /** SECCOMP_FILTER_FLAG_… */
  flags: number;
  /** Who decides what the filter leaves open. */
  listener?: SeccompListener | undefined;
}

/**
 * Gives up the host's powers, in the only order that works:
 *
 * 1. the bounding set, while CAP_SETPCAP is there;
 * 2. the ids, with PR_SET_KEEPCAPS, so that a change away from root leaves the permitted set for what follows;
 * 3. seccomp, which without no_new_privs needs CAP_SYS_ADMIN, so it goes before that is dropped: only the calls of steps 4 and 5 and
 *    exec itself must pass the filter;
 * 4. the other capability sets;
 * 5. the ambient set, which must be within the permitted and inheritable ones.
 *
 * Before all of that it must become unreadable: it shares tsbox's memory until exec, and a program with the same ids and capabilities
 * that sees it (in a container with `--pid host`) could attach to it and write there (CVE-2016-9962). The flag is the memory's, so
 * tsbox itself makes no core dumps any more; nor would it be right to set it back while another start is under way.
 *
 * capabilities(7), "Effect of user ID changes on capabilities"; prctl(2); seccomp(2).
 */
export function dropPrivileges(
  stage: Stage,
  process: Process,
  seccomp: SeccompFilter | undefined,
  outlivesTsbox = false,
): void {
  const { uid, gid, additionalGids = [], umask } = process.user;
  const sets = process.capabilities;
  stage.call('prctl', [flags(PR, 'PR_SET_DUMPABLE'), 0], 'nobody may trace it while it shares our memory');
  if (sets) dropBounding(stage, sets.bounding ?? []);
  if (sets)
    stage.call(
      'prctl',
      [flags(PR, 'PR_SET_KEEPCAPS'), 1],
      'a new user id must not cost what is needed below',
    );
  stage.call(
    'setgroups',
    [additionalGids.length, words(`[${additionalGids.join(', ')}]`, ...additionalGids)],
    'its groups, not ours',
  );
  stage.call('setresgid', [gid, gid, gid], 'its group');
  stage.call('setresuid', [uid, uid, uid], 'its user');
  stage.call('umask', [octal(umask ?? 0o022)], 'the mask of new files');
  if (process.noNewPrivileges) {
    stage.call('prctl', [flags(PR, 'PR_SET_NO_NEW_PRIVS'), 1, 0, 0, 0], 'setuid programs gain nothing');
  }
  if (!outlivesTsbox) {
    stage.call(
      'prctl',
      [flags(PR, 'PR_SET_PDEATHSIG'), named('SIGKILL', 9)],
      'if tsbox dies it dies; again, as the new ids cleared it',
    );
  }
  if (seccomp) installSeccomp(stage, sets, uid, seccomp);
  if (sets) setCapabilities(stage, sets);
}

function dropBounding(stage: Stage, keep: readonly string[]): void {
  const kept = new Set(keep.map(capabilityNumber));
  for (const [number, name] of CAPABILITIES.entries()) {
    if (kept.has(number)) continue;
    // An older kernel does not know the newest ones.
    stage.call('prctl', [flags(PR, 'PR_CAPBSET_DROP'), named(name, number)], 'out of reach for ever', {
      tolerate: [Errno.EINVAL],
    });
  }
}

function installSeccomp(
  stage: Stage,
  sets: Capabilities | undefined,
  uid: number,
  seccomp: SeccompFilter,
): void {
  if (uid !== 0 && sets) {
    const kept = mask(sets.permitted) | mask(['CAP_SYS_ADMIN']);
    stage.call(
      'capset',
      [HEADER, capabilityData(kept, kept, mask(sets.inheritable), 'with CAP_SYS_ADMIN')],
      'a filter needs it, for one more call',
    );
  }
  const program: Struct = {
    bytes: (() => {
      const bytes = Buffer.alloc(16);
      fields(bytes).setUint16(0, seccomp.filter.length / 8, true);
      return bytes;
    })(),
    text: `{${seccomp.filter.length / 8} instructions}`,
    pointers: [{ offset: 8, to: { bytes: seccomp.filter, text: 'filter' } }],
  };
  const names = (Object.keys(SECCOMP_FILTER_FLAG) as (keyof typeof SECCOMP_FILTER_FLAG)[]).filter(
    (name) => seccomp.flags & SECCOMP_FILTER_FLAG[name],
  );
  const { listener } = seccomp;
  const prepared = listener && readMessage(stage, listener);
  const descriptor = new Slot('seccomp_listener');
  stage.call(
    'seccomp',
    [flags(SECCOMP, 'SECCOMP_SET_MODE_FILTER'), flags(SECCOMP_FILTER_FLAG, ...names), program],
    'from here on only the calls that the profile allows',
    prepared && { save: descriptor },
  );
  if (prepared) sendListener(stage, prepared, descriptor);
}

function setCapabilities(stage: Stage, sets: Capabilities): void {
  const [effective, permitted, inheritable] = [
    mask(sets.effective),
    mask(sets.permitted),
    mask(sets.inheritable),
  ];
  const text = `${sets.effective?.length ?? 0} effective, ${sets.permitted?.length ?? 0} permitted`;
  stage.call(
    'capset',
    [HEADER, capabilityData(effective, permitted, inheritable, text)],
    'what is left of root',
  );
  for (const name of sets.ambient ?? []) {
    stage.call(
      'prctl',
      [
        flags(PR, 'PR_CAP_AMBIENT'),
        flags(PR_CAP_AMBIENT, 'PR_CAP_AMBIENT_RAISE'),
        named(name, capabilityNumber(name)),
        0,
        0,
      ],
      'kept by programs that are not root',
    );
  }
}

/** `_LINUX_CAPABILITY_VERSION_3`, this thread. */
const HEADER = words('{version=3, pid=0}', 0x20080522, 0);

function capabilityData(effective: bigint, permitted: bigint, inheritable: bigint, text: string): Struct {
  const low = (set: bigint) => Number(set & 0xffffffffn);
  const high = (set: bigint) => Number(set >> 32n);
  return words(
    `{${text}}`,
    low(effective),
    low(permitted),
    low(inheritable),
    high(effective),
    high(permitted),
    high(inheritable),
  );
}

function mask(names: readonly string[] = []): bigint {
  return names.reduce((set, name) => set | (1n << BigInt(capabilityNumber(name))), 0n);
}

function capabilityNumber(name: string): number {
  const number = (CAPABILITIES as readonly string[]).indexOf(name);
  if (number < 0)
    throw new TsboxError('BAD_SPEC', `process.capabilities: there is no capability \`${name}\``);
  return number;
}
