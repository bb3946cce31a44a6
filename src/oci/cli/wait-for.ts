import { reap, signalPidfd, waitReadable } from '../../kernel/index.ts';
import { signalNumber } from '../../kernel/signals.ts';

/** Passes signals on to a child until it ends. Resolves with its exit status, 128+n for signal n. */
export async function waitFor(pidfd: number): Promise<number> {
  const passOn = (name: NodeJS.Signals) => signalPidfd(pidfd, signalNumber(name) ?? 15);
  for (const name of FORWARDED) process.on(name, passOn);
  try {
    await waitReadable(pidfd);
    const death = reap(pidfd, { wait: true });
    if (death === undefined) return 255;
    return 'code' in death ? death.code : 128 + death.signal;
  } finally {
    for (const name of FORWARDED) process.off(name, passOn);
  }
}

const FORWARDED = [
  'SIGHUP',
  'SIGINT',
  'SIGTERM',
  'SIGQUIT',
  'SIGUSR1',
  'SIGUSR2',
  'SIGWINCH',
  'SIGCONT',
] as const;
