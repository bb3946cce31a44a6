import { closeSync, openSync } from 'node:fs';
import { lockWithin } from '../../kernel/index.ts';

/**
 * Does something while no other tsbox of this network namespace changes the table. The lock is on the namespace itself, because stores share the table and
 * have no directory in common. It is waited for longer than others: two hundred containers that end at once come one after the other.
 */
export function withTableLock<T>(work: () => T): T {
  const namespace = openSync('/proc/thread-self/ns/net', 'r');
  try {
    const lock = lockWithin(namespace, 'the table of nftables', 60);
    try {
      return work();
    } finally {
      lock.release();
    }
  } finally {
    closeSync(namespace);
  }
}
