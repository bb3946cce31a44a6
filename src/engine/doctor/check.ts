import type { CgroupHost } from '../../cgroup/index.ts';
import type { ForwardChain } from '../../network/nat/index.ts';

/** One thing that a machine needs to run containers, and whether this one has it. */
export interface Check {
  /** A few words: `cgroup v2`. */
  name: string;
  /** `unknown`: it cannot be told from here, most often because that needs root. */
  ok: boolean | 'unknown';
  /** What was found. */
  detail: string;
  /** Where it is not right: what you cannot do without it. */
  cost?: string;
  /** Where it is not right: the exact way to get it. */
  fix?: string;
}

/** What the checks ask the machine. Tests answer for machines that they are not on. */
export interface Machine {
  /** The kernel's release: `6.1.0-18-amd64`. */
  release: string;
  architecture: string;
  /** The effective user ID. */
  uid: number;
  /** Where images and containers are kept. */
  root: string;
  /** The text of a file; undefined where there is none or it cannot be read. */
  read(path: string): string | undefined;
  exists(path: string): boolean;
  /** @throws where cgroup v2 is not mounted */
  cgroup(): CgroupHost;
  /** Makes a system call that changes nothing; its errno, 0 where it worked. */
  probe(name: Probe): number;
  /** The path of nft, where it is installed. */
  nft(): string | undefined;
  /** What the kernel, or nft, has against our rules; undefined where nothing. Root only. */
  rulesProblem(): string | undefined;
  /** Others' chains that forwarded packets go through. Root only. */
  forwardChains(): ForwardChain[];
}

/** See probes.ts for what each one does. */
export type Probe =
  | 'clone3'
  | 'openat2'
  | 'pidfd_open'
  | 'mount_setattr'
  | 'fsopen'
  | 'overlay'
  | 'seccomp filter'
  | 'device program'
  | 'user namespace'
  | 'id-mapped mount'
  | 'bridge link'
  | 'veth link'
  | 'macvlan link'
  | 'ipvlan link';

/** Whether release `6.1.0-18-amd64` is at least `5.14`. */
export function atLeast(release: string, version: string): boolean {
  const [major = 0, minor = 0] = numbers(release);
  const [wantedMajor = 0, wantedMinor = 0] = numbers(version);
  return major > wantedMajor || (major === wantedMajor && minor >= wantedMinor);
}

function numbers(release: string): number[] {
  return release.split('.', 2).map((part) => Number.parseInt(part, 10));
}
