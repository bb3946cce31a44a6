import { writeSync } from 'node:fs';
import { closeDescriptor, pipe } from '../kernel/index.ts';
import { notifies } from '../runtime/seccomp/index.ts';
import type { SeccompListener } from '../runtime/seccomp-listener.ts';
import type { Seccomp } from '../runtime/spec.ts';
import { OCI_VERSION } from './config/version.ts';
import { connectSocket } from './socket.ts';
import { failure } from './state.ts';

/** Who decides about calls with SCMP_ACT_NOTIFY: connected, and not yet told of which process. */
export interface ConnectedListener {
  /** With descriptors of this process. */
  plan: SeccompListener;
  /** What it is told, at once or later: config-linux.md, "The Container Process State". */
  tell(pid: number, state: object): void;
  close(): void;
}

/** Undefined where no call is for somebody else to decide. @throws {TsboxError} where nobody listens */
export function connectListener(seccomp: Seccomp | undefined): ConnectedListener | undefined {
  if (seccomp === undefined || !notifies(seccomp)) return undefined;
  const socket = connectSocket(seccomp.listenerPath ?? '', 'linux.seccomp.listenerPath');
  const { read, write } = pipe();
  return {
    plan: { socket, message: read, most: MOST },
    tell: (pid, state) => {
      const { listenerMetadata } = seccomp;
      const message = Buffer.from(
        JSON.stringify({
          ociVersion: OCI_VERSION,
          fds: ['seccompFd'],
          pid,
          ...(listenerMetadata !== undefined && { metadata: listenerMetadata }),
          state,
        }),
      );
      // All of it is in the pipe before anybody reads, and one read takes it out: pipe(7).
      if (message.length > MOST)
        throw failure('TOO_LONG', `the state for linux.seccomp.listenerPath is longer than ${MOST} bytes`);
      writeSync(write, message);
    },
    close: () => {
      for (const fd of [socket, read, write]) closeDescriptor(fd);
    },
  };
}

const MOST = 60_000;
