import { didYouMean } from '../../suggest.ts';
import { badOption, refuseNul } from './bad-option.ts';

/** Which system calls are filtered. The profile itself is read and compiled elsewhere. */
export type SeccompChoice = { kind: 'default' } | { kind: 'unconfined' } | { kind: 'file'; path: string };

export interface SecurityOptions {
  noNewPrivileges: boolean;
  /** Undefined: not asked for. */
  seccomp?: SeccompChoice;
  apparmor?: string;
  /** Neither mask paths of proc and sysfs nor make them read-only. */
  systemPathsUnconfined: boolean;
}

/**
 * The values of `--security-opt`, of which the last of a kind wins. `label=disable` is taken and changes nothing, since tsbox sets no SELinux
 * labels; any other label is refused rather than ignored.
 *
 * @throws BAD_OPTION
 */
export function parseSecurityOptions(flag: string, values: readonly string[]): SecurityOptions {
  const options: SecurityOptions = { noNewPrivileges: false, systemPathsUnconfined: false };
  for (const given of values) {
    refuseNul(flag, given);
    // `:` is Docker's old separator, which `no-new-privileges:true` is still widely written with.
    const match = /^([^=:]+)(?:[=:](.*))?$/s.exec(given);
    const value = match?.[2];
    switch (match?.[1]) {
      case 'no-new-privileges':
        if (value !== undefined && value !== 'true' && value !== 'false') {
          throw badOption(flag, given, 'neither true nor false', 'no-new-privileges');
        }
        options.noNewPrivileges = value !== 'false';
        break;
      case 'seccomp':
        if (!value) throw badOption(flag, given, 'names no profile', 'seccomp=profile.json');
        options.seccomp = seccompChoice(value);
        break;
      case 'apparmor':
        // The profile's name is written to a file of the kernel's, in one line.
        if (!value || /[\s\p{Cc}]/u.test(value)) {
          throw badOption(flag, given, 'names no profile', 'apparmor=unconfined');
        }
        options.apparmor = value;
        break;
      case 'systempaths':
        if (value !== 'unconfined')
          throw badOption(flag, given, 'can only be unconfined', 'systempaths=unconfined');
        options.systemPathsUnconfined = true;
        break;
      case 'label':
        if (value !== 'disable') {
          throw badOption(
            flag,
            given,
            'tsbox sets no SELinux labels, so only label=disable can be kept',
            'label=disable',
          );
        }
        break;
      default:
        throw badOption(
          flag,
          given,
          `no such security option${didYouMean(match?.[1] ?? given, known)}`,
          'no-new-privileges',
        );
    }
  }
  return options;
}

function seccompChoice(value: string): SeccompChoice {
  if (value === 'unconfined') return { kind: 'unconfined' };
  return value === 'builtin' || value === 'default' ? { kind: 'default' } : { kind: 'file', path: value };
}

const known = ['no-new-privileges', 'seccomp', 'apparmor', 'systempaths', 'label'];
