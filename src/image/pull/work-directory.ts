import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { storePaths, type Temporary, takeTemporary } from '../store/index.ts';

/**
 * The directory in which an image's blobs are collected. It is called after the image, so of two processes that pull the same one the second
 * waits for the first; and what a killed pull had got whole is used by the next, if no sweep comes before.
 *
 * @param onWait called once where another process has it
 */
export async function takeWorkDirectory(
  image: string,
  onWait: () => void,
  signal: AbortSignal,
): Promise<Temporary> {
  const name = `pull-${createHash('sha256').update(image).digest('hex').slice(0, 32)}`;
  for (let tries = 0; ; tries++) {
    signal.throwIfAborted();
    const taken = takeTemporary(storePaths().images, name);
    if (taken !== undefined) return taken;
    // Who only removes it needs less than that.
    if (tries === 10) onWait();
    // Not with flock(2), which would block the thread, and with it whatever else this process does.
    await sleep(tries < 10 ? 20 : 100, undefined, { signal });
  }
}
