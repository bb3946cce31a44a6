import { checkHealth } from './check.ts';
import { type HealthCheck, startingInterval } from './config.ts';

/**
 * Checks the health of a container that this process is the parent of, as a monitor does for one with a life of its own: the next check is due an interval after
 * the last one is done. Resolves when the container has ended.
 */
export async function checkRegularly(
  container: { id: string; wait(): Promise<unknown> },
  check: HealthCheck,
): Promise<void> {
  let running = true;
  let wake = () => {};
  const over = () => {
    running = false;
    wake();
  };
  container.wait().then(over, over);
  let pause = startingInterval(check);
  while (running) {
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, pause);
      wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    if (!running) return;
    // It may have ended meanwhile; what went wrong otherwise goes wrong the next time too, or does not.
    const starting = await checkHealth(container.id).catch(() => false);
    pause = starting ? startingInterval(check) : check.interval;
  }
}
