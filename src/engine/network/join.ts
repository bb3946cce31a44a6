import { existsSync } from 'node:fs';
import { closeDescriptor, signalPidfd, TsboxError } from '../../kernel/index.ts';
import { openNetworkNamespace } from '../../kernel/netlink/index.ts';
import type { ProvidedFile } from '../../runtime/index.ts';
import { openProcess } from '../process-identity.ts';
import type { ContainerRecord } from '../record.ts';
import { onHost } from './files.ts';

/**
 * The network namespace of a container that runs, as a descriptor.
 *
 * @throws {TsboxError} NOT_RUNNING
 */
export function openNetworkOf({ name, pid, pidStart }: ContainerRecord): number {
  const pidfd = pid === undefined ? undefined : openProcess({ pid, start: pidStart });
  if (pid !== undefined && pidfd !== undefined) {
    try {
      const namespace = openNetworkNamespace(pid);
      // It lives: so the PID was its own when the namespace was opened.
      if (signalPidfd(pidfd, 0)) return namespace;
      closeDescriptor(namespace);
    } catch (error) {
      if ((error as { code?: unknown }).code !== 'ENOENT') throw error;
    } finally {
      closeDescriptor(pidfd);
    }
  }
  throw new TsboxError('NOT_RUNNING', `cannot join the network of container ${name}, which is not running`);
}

/** The files that it has on the host are shown in both. Where it has none (it has no network itself), each has its own. */
export function sharedFiles(files: readonly ProvidedFile[], id: string): ProvidedFile[] {
  return onHost(files, id).map(({ source, ...file }) =>
    source !== undefined && existsSync(source) ? { ...file, source } : file,
  );
}
