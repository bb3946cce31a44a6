import type { CgroupPlan } from './cgroup-steps.ts';
import type { CopiedUp } from './copy-up.ts';
import type { SeccompFilter } from './identity.ts';
import type { Stdio, TerminalStdio } from './program.ts';
import type { OverlayRootfs } from './rootfs.ts';
import type { Hook, Mount, Spec } from './spec.ts';

/** A file that tsbox provides inside: /etc/hosts and the like. */
export interface ProvidedFile {
  path: string;
  content: string;
  /** Where it is a file of the host, which has that content already and may get another later: its absolute path. */
  source?: string;
  /** Mode bits. */
  mode: number;
}

/** Everything that the plan of a container depends on. */
export interface PlanInput {
  id: string;
  spec: Spec;
  /** Layers, or nothing for `spec.root.path` as it is. */
  overlay?: OverlayRootfs;
  cgroup?: CgroupPlan;
  seccomp?: SeccompFilter;
  /** What becomes 0, 1 and 2; with a terminal, the Unix socket that takes its master end. */
  stdio: Stdio | TerminalStdio;
  /** The write end of a close-on-exec pipe: it closes when the program is there, or has failed. */
  ready: number;
  /** Our end of it, where the processes of the plan have a copy of that. */
  reader?: number;
  files: readonly ProvidedFile[];
  /** The container's end of a stream socket pair, where its network is connected from outside: see network-steps.ts. */
  networkSocket?: number;
  /** A descriptor of the network namespace that it joins. */
  networkNamespace?: number;
  /** Made inside where they are not there. */
  directories?: readonly string[];
  /** The program that runs as PID 1 and starts the real one (`--init`). */
  init?: string;
  /** Set where it is to wait for its start. */
  held?: Held;
  /** Whether the root changes by chroot: pivot_root(2) refuses to leave an initramfs. */
  noPivot?: boolean;
  /** Whether the session keyring of this process stays. */
  keepKeyring?: boolean;
  /** What some of its new file systems begin with. */
  copies?: ReadonlyMap<Mount, readonly CopiedUp[]>;
  kernel: { major: number; minor: number };
}

/**
 * How a container waits for its start (src/oci/). It is carried out by native/enter.c and not in Node's memory, nobody need be there when it is let go,
 * and it belongs to whoever adopts its orphaned parent's children. The numbers are descriptors of native/enter.c.
 */
export interface Held {
  /** The read end of `exec.fifo`, open for writing as well, so that reading waits: a byte lets it go. */
  gate: number;
  /** Takes the number of `ready` once it waits: it closes at exec, or says what failed. */
  result: number;
  /** Hooks of the host wait for it to be in its namespaces: it writes `h`, and goes on when a byte comes. */
  acknowledge?: number;
  /** The state, as a file, for its own hooks. */
  state: number;
  createContainer: readonly Hook[];
  startContainer: readonly Hook[];
  /** How many descriptors from 3 on the program gets. */
  preserve: number;
  /** Where the one with the number 3 is meanwhile. */
  third: number;
  /** The numbers of a seccomp listener's descriptors, which the filter may come to need only after the start. */
  listener?: readonly number[];
}
