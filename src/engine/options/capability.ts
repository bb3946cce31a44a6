import { CAPABILITIES } from '../../kernel/index.ts';
import { didYouMean } from '../../suggest.ts';
import { badOption } from './bad-option.ts';

/** What a container's processes may do by default: Docker's fourteen. */
export const defaultCapabilities: readonly string[] = [
  'CAP_CHOWN',
  'CAP_DAC_OVERRIDE',
  'CAP_FSETID',
  'CAP_FOWNER',
  'CAP_MKNOD',
  'CAP_NET_RAW',
  'CAP_SETGID',
  'CAP_SETUID',
  'CAP_SETFCAP',
  'CAP_SETPCAP',
  'CAP_NET_BIND_SERVICE',
  'CAP_SYS_CHROOT',
  'CAP_KILL',
  'CAP_AUDIT_WRITE',
];

/**
 * The capabilities that `--cap-add` and `--cap-drop` leave, by Docker's rules: with ALL added, all but those dropped by name;
 * with ALL dropped, only those added; otherwise the default ones without those dropped, and with those added.
 *
 * @throws BAD_OPTION for a name that is no capability
 */
export function resolveCapabilities(add: readonly string[], drop: readonly string[]): string[] {
  const added = add.map((name) => parseCapability('--cap-add', name));
  const dropped = new Set(drop.map((name) => parseCapability('--cap-drop', name)));
  if (added.includes('ALL')) return CAPABILITIES.filter((name) => !dropped.has(name));
  const kept = dropped.has('ALL') ? [] : defaultCapabilities.filter((name) => !dropped.has(name));
  return [...new Set([...kept, ...added])];
}

/** `CAP_NET_ADMIN` for `net_admin`, `NET_ADMIN` or `CAP_NET_ADMIN`; `ALL` for itself. @throws BAD_OPTION */
export function parseCapability(flag: string, value: string): string {
  const upper = value.toUpperCase();
  if (upper === 'ALL') return upper;
  const name = upper.startsWith('CAP_') ? upper : `CAP_${upper}`;
  const known: readonly string[] = CAPABILITIES;
  if (!known.includes(name)) {
    throw badOption(flag, value, `no such capability${didYouMean(name, known)}`, 'NET_ADMIN');
  }
  return name;
}
