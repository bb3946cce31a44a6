import { SYSCALLS } from './syscalls.data.ts';

/** In the order of the table's columns. */
const COLUMNS = ['x86_64', 'x86', 'x32', 'aarch64', 'arm'] as const;

/** A way of calling the kernel: a processor's, or one of the older or smaller ones that the same kernel also answers. */
export type Architecture = (typeof COLUMNS)[number];

/**
 * The number of a system call, x32's without its mark; undefined where the architecture has none of that name. Read from
 * the table at the first question: a filter that was compiled before never asks.
 */
export function syscallNumberOn(architecture: Architecture, name: string): number | undefined {
  table ??= readTable();
  const number = table.get(name)?.[COLUMNS.indexOf(architecture)];
  return number === undefined || number === '-' ? undefined : Number(number);
}

/**
 * The socket and System V IPC calls, which i386 also takes through one call each, the first argument saying which: socketcall(2)
 * (linux/net.h) and ipc(2) (linux/ipc.h).
 */
export function multiplexed(name: string): { through: 'socketcall' | 'ipc'; call: number } | undefined {
  const call = SOCKETCALL.indexOf(name) + 1;
  if (call > 0) return { through: 'socketcall', call };
  const ipc = IPC.get(name);
  return ipc === undefined ? undefined : { through: 'ipc', call: ipc };
}

let table: Map<string, string[]> | undefined;

function readTable(): Map<string, string[]> {
  const rows = new Map<string, string[]>();
  for (const line of SYSCALLS.trim().split('\n')) {
    const [name, ...numbers] = line.split(' ');
    rows.set(name as string, numbers);
  }
  return rows;
}

const SOCKETCALL = [
  'socket',
  'bind',
  'connect',
  'listen',
  'accept',
  'getsockname',
  'getpeername',
  'socketpair',
  'send',
  'recv',
  'sendto',
  'recvfrom',
  'shutdown',
  'setsockopt',
  'getsockopt',
  'sendmsg',
  'recvmsg',
  'accept4',
  'recvmmsg',
  'sendmmsg',
];

const IPC = new Map([
  ['semop', 1],
  ['semget', 2],
  ['semctl', 3],
  ['semtimedop', 4],
  ['msgsnd', 11],
  ['msgrcv', 12],
  ['msgget', 13],
  ['msgctl', 14],
  ['shmat', 21],
  ['shmdt', 22],
  ['shmget', 23],
  ['shmctl', 24],
]);
