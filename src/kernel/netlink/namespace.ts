import { AT, CLONE, O } from '../constants.ts';
import { closeDescriptor } from '../files.ts';
import { cString, syscall } from '../syscall.ts';

/**
 * The network namespace of a process, as a descriptor that closes at exec. It keeps the namespace alive.
 *
 * @param pid of a process that is known to be the one that is meant, and is asked again afterwards: a PID can be another's by now
 * @throws {KernelError} ENOENT where no process has the PID
 */
export function openNetworkNamespace(pid: number): number {
  return openNamespace(`/proc/${pid}/ns/net`);
}

/**
 * Does something in another network namespace: sockets that are opened there stay there, and /proc/sys/net is that namespace's.
 *
 * Only the calling thread goes there, and it is back before anything else can happen in it, since `work` is synchronous: a promise that it
 * returns would go on outside. A thread that could not come back would do everything later in a container's network, so then the process ends.
 *
 * @param fd from openNetworkNamespace
 */
export function inNetworkNamespace<T>(fd: number, work: () => T): T {
  const own = openNamespace('/proc/thread-self/ns/net');
  try {
    enter(fd);
    try {
      return work();
    } finally {
      comeBack(own);
    }
  } finally {
    closeDescriptor(own);
  }
}

function openNamespace(path: string): number {
  const flags = O.O_RDONLY | O.O_CLOEXEC;
  return syscall('openat', [AT.AT_FDCWD, cString(path), flags, 0], {
    path,
    doing: 'open a network namespace',
  });
}

function enter(fd: number): void {
  syscall('setns', [fd, CLONE.CLONE_NEWNET], { doing: 'enter a network namespace' });
}

function comeBack(own: number): void {
  try {
    enter(own);
  } catch (error) {
    const message = Buffer.from(`tsbox: cannot leave a container's network: ${(error as Error).message}\n`);
    syscall('write', [2, message, message.length], { allow: ANY_ERRNO });
    // Not process.exit, which ends only a worker where this is one, and runs handlers first.
    syscall('exit_group', [125]);
  }
}

/** Whatever becomes of the message, the process must end. */
const ANY_ERRNO = Array.from({ length: 133 }, (_, errno) => errno);
