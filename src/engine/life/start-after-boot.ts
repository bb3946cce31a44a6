import { repairRules } from '../network/rules.ts';
import { listContainers } from '../records.ts';
import { sweep } from '../sweep.ts';
import { runsAfterBoot } from './restart-policy.ts';
import { startContainer } from './start.ts';
import { isLive, stopContainer } from './stop.ts';

/**
 * `tsbox system start`: starts what `--restart always` and `unless-stopped` promise, after a boot. Containers that run are left as they are, so it can be
 * repeated.
 *
 * @returns each with its error, where it could not be started
 */
export async function startAfterBoot(): Promise<{ id: string; name: string; error?: unknown }[]> {
  sweep();
  repair();
  const results: { id: string; name: string; error?: unknown }[] = [];
  for (const record of listContainers()) {
    if (record.status !== 'exited' || !runsAfterBoot(record)) continue;
    const { id, name } = record;
    try {
      await startContainer(id);
      results.push({ id, name });
    } catch (error) {
      results.push({ id, name, error });
    }
  }
  return results;
}

/** What somebody has flushed from under containers that run. Those that have no network start all the same. */
function repair(): void {
  try {
    repairRules();
  } catch (error) {
    process.emitWarning((error as Error).message);
  }
}

/**
 * `tsbox system stop`: stops all containers that run, at once and each in its own time, for a shutdown. A monitor is deaf to the SIGTERM that init sends to
 * everybody then, and would hold it up. What `--restart` promises holds after the boot: `startAfterBoot`.
 */
export async function stopForShutdown(): Promise<{ id: string; name: string; error?: unknown }[]> {
  const live = listContainers().filter((record) => record.detached && isLive(record));
  return Promise.all(
    live.map(async ({ id, name }) => {
      try {
        await stopContainer(id, { resume: true });
        return { id, name };
      } catch (error) {
        return { id, name, error };
      }
    }),
  );
}
