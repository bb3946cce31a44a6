import type { SeccompFilter } from './identity.ts';
import type { Stdio, TerminalStdio } from './program.ts';
import type { Process, Spec } from './spec.ts';

/** Everything that the plan of a program depends on that is started in a running container. */
export interface ExecInput {
  /** The container's. */
  id: string;
  /** The container's configuration as it runs. */
  spec: Pick<Spec, 'linux'>;
  /** The program, with the capabilities, limits and ids that it is to have. */
  process: Process;
  seccomp?: SeccompFilter | undefined;
  /** The absolute directory of the container's cgroup. */
  cgroup?: string | undefined;
  /** Whether the session keyring of this process stays. */
  keepKeyring?: boolean;
  stdio: Stdio | TerminalStdio;
  /** Whether it outlives this process: then native/enter.c stays as its parent; or, `adopted`, whoever adopts this process's children. */
  detached?: boolean | 'adopted';
  /** Of a detached one with a terminal: native/enter.c keeps that open. `status`: where it says how the program has ended, the write end of a pipe. */
  keep?: { status?: number };
  /** How many descriptors from 3 on the program gets besides its streams. */
  preserve?: number;
}

/** Descriptors of native/enter.c, after the three streams; 3 is the plan itself. Above those that the program gets. */
export function numbersOf({ preserve = 0 }: Pick<ExecInput, 'preserve'>) {
  const first = preserve > 0 ? 4 + preserve : 4;
  return {
    container: first,
    ready: first + 1,
    socket: first + 2,
    third: first + 3,
    listener: first + 4,
    message: first + 5,
    // Of the keeper, in the places of what is not needed any more.
    master: first + 2,
    status: first + 3,
  };
}
