import { readlinkSync } from 'node:fs';
import { CLONE, closeDescriptor, cString, syscall } from '../../../src/kernel/index.ts';

const AF_INET = 2;
const SOCK_DGRAM = 2;
const IFF_UP = 1;
const SIOCSIFFLAGS = 0x8914;

/**
 * Gives each test file a network namespace of its own: this is a set-up file of vitest's, which runs every test file in a process of its own.
 * No test sees the machine's network or changes anything of it; what a test makes goes away with its process.
 *
 * Only the calling thread moves, and with it what it starts: programs, and worker threads. Threads of libuv's pool that are there already stay in the
 * machine's namespace; they make no sockets, and look up names only.
 */
if (process.geteuid?.() === 0 && readlinkSync('/proc/thread-self/ns/net') === readlinkSync(machineNetwork()))
  enterNewNetwork();

/** The machine's own namespace, that of vitest's first process: for `nsenter --net`, where a test must reach a mirror of packages. */
export function machineNetwork(): string {
  return `/proc/${process.ppid}/ns/net`;
}

function enterNewNetwork(): void {
  syscall('unshare', [CLONE.CLONE_NEWNET], { doing: 'make a network for the tests' });
  // `lo` is down in a new namespace. By the old ioctl: what the tests stand on should not be what they test. netdevice(7).
  const socket = syscall('socket', [AF_INET, SOCK_DGRAM, 0]);
  const request = Buffer.alloc(40);
  cString('lo').copy(request);
  request.writeUInt16LE(IFF_UP, 16);
  syscall('ioctl', [socket, SIOCSIFFLAGS, request], { doing: 'set up lo' });
  closeDescriptor(socket);
}
