import {
  absent,
  checkRule,
  checkSeccomp,
  list,
  type Machine,
  object,
  quote,
  refuse,
  strings,
} from '../../runtime/seccomp/index.ts';
import type { Seccomp, SeccompRule } from '../../runtime/spec.ts';

/** What a rule of Docker's format can depend on. All that is given must hold (`includes`), or any (`excludes`). */
export interface ProfileCondition {
  caps?: string[] | null;
  /** Go's names of the host's processor: amd64, arm64. */
  arches?: string[] | null;
  /** `MAJOR.MINOR` */
  minKernel?: string | null;
}

export interface ProfileRule extends Omit<SeccompRule, 'names'> {
  names?: string[];
  /** The old form of `names`, for one. */
  name?: string;
  comment?: string;
  includes?: ProfileCondition | null;
  excludes?: ProfileCondition | null;
}

/** A profile as `--security-opt seccomp=FILE` takes it: Docker's format, of which OCI's is a part. */
export interface Profile extends Omit<Seccomp, 'syscalls'> {
  archMap?: { architecture: string; subArchitectures?: string[] | null }[] | null;
  syscalls?: ProfileRule[];
}

export interface ProfileHost {
  /** The container's bounding set, as CAP_…. */
  capabilities: string[];
  arch: Machine;
  /** As uname(2) gives it: `6.1.0-18-amd64`. */
  kernelRelease: string;
}

/**
 * What is left of a profile for this container on this host, in OCI's terms.
 *
 * @param where what the profile is called in errors
 * @throws TsboxError BAD_SECCOMP naming the wrong part
 */
export function resolveProfile(profile: unknown, host: ProfileHost, where = 'seccomp profile'): Seccomp {
  const { archMap, ...rest } = object(profile, where);
  const mapped = architectures(archMap, host.arch, `${where}.archMap`);
  if (mapped.length > 0 && strings(rest.architectures, `${where}.architectures`).length > 0)
    refuse(where, 'both `architectures` and `archMap` are there', 'use one of them');
  const resolved: unknown = {
    ...rest,
    architectures: mapped.length > 0 ? mapped : rest.architectures,
    syscalls: list(rest.syscalls, `${where}.syscalls`).flatMap(([rule, at]) => resolveRule(rule, at, host)),
  };
  checkSeccomp(resolved, where);
  return resolved;
}

function resolveRule(value: unknown, at: string, host: ProfileHost): SeccompRule[] {
  const { name, comment, includes, excludes, ...rest } = object(value, at);
  const alone = absent(name) || name === '' ? undefined : name;
  if (alone !== undefined && list(rest.names, `${at}.names`).length > 0)
    refuse(at, 'both `name` and `names` are there', 'use `names`');
  const rule: unknown = alone === undefined ? rest : { ...rest, names: [alone] };
  // Before asking whether it applies: a profile is good or bad, whatever the host.
  checkRule(rule, at);
  const excluded = answers(excludes, host, `${at}.excludes`).includes(true);
  const included = !answers(includes, host, `${at}.includes`).includes(false);
  return included && !excluded ? [rule] : [];
}

/** Each part of a condition, whether it holds here. Of several architectures one is enough. */
function answers(value: unknown, host: ProfileHost, at: string): boolean[] {
  if (absent(value)) return [];
  const { caps, arches, minKernel } = object(value, at);
  const answers = strings(caps, `${at}.caps`).map(([capability]) => host.capabilities.includes(capability));
  const named = strings(arches, `${at}.arches`).map(([arch]) => arch);
  if (named.length > 0) answers.push(named.includes(host.arch === 'x64' ? 'amd64' : 'arm64'));
  if (!absent(minKernel) && minKernel !== '')
    answers.push(atLeast(host.kernelRelease, minKernel, `${at}.minKernel`));
  return answers;
}

/** The entry for this machine; none for a machine that the map does not have. */
function architectures(archMap: unknown, machine: Machine, at: string): string[] {
  const own = machine === 'x64' ? 'SCMP_ARCH_X86_64' : 'SCMP_ARCH_AARCH64';
  for (const [element, where] of list(archMap, at)) {
    const { architecture, subArchitectures } = object(element, where);
    if (typeof architecture !== 'string')
      refuse(`${where}.architecture`, `expected a string, found ${quote(architecture)}`);
    const others = strings(subArchitectures, `${where}.subArchitectures`).map(([name]) => name);
    if (architecture === own) return [own, ...others];
  }
  return [];
}

function atLeast(release: string, wanted: unknown, at: string): boolean {
  const [, major, minor] = /^(\d{1,3})\.(\d{1,3})$/.exec(typeof wanted === 'string' ? wanted : '') ?? [];
  if (major === undefined) refuse(at, `${quote(wanted)} is not a kernel version, expected MAJOR.MINOR`);
  return kernelAtLeast(release, Number(major), Number(minor));
}

/** Only the first two numbers of a release count: `6.1.0-18-amd64` is 6.1. */
export function kernelAtLeast(release: string, major: number, minor: number): boolean {
  const [, ownMajor, ownMinor] = /^(\d+)\.(\d+)/.exec(release) ?? [];
  return Number(ownMajor) > major || (Number(ownMajor) === major && Number(ownMinor) >= minor);
}
