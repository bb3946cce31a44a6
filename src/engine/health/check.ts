import { noteEvents, ofContainer } from '../events/note.ts';
import { exec } from '../exec/index.ts';
import { type ContainerRecord, readRecord } from '../record.ts';
import { updateRecord } from '../update-record.ts';
import type { HealthCheck } from './config.ts';
import { type HealthResult, readHealth, writeHealth } from './results.ts';

/**
 * Checks a container's health once: `tsbox system healthcheck ID`, which its monitor runs every interval. What comes of it is in its record (`health`) and in
 * `health.json` in its directory; a change is an event.
 *
 * @returns whether it is still starting: then the next check is due after the start interval
 */
export async function checkHealth(id: string): Promise<boolean> {
  const record = readRecord(id);
  if (record?.status !== 'running' || record.healthCheck === undefined) return false;
  const { healthCheck, started } = record;
  const result = await carryOut(id, healthCheck);
  let before: ContainerRecord['health'];
  const after = updateRecord(id, (now) => {
    // It has ended meanwhile, or was started again: then this says nothing of it.
    if (now.status !== 'running' || now.started !== started) return undefined;
    before = now.health;
    const { failingStreak, log } = readHealth(id);
    const inStartPeriod = Date.parse(result.start) - Date.parse(started ?? '') < healthCheck.startPeriod;
    const counts = result.exitCode !== 0 && !(inStartPeriod && before === 'starting');
    const streak = result.exitCode === 0 ? 0 : failingStreak + (counts ? 1 : 0);
    writeHealth(id, { failingStreak: streak, log: [...log, result].slice(-5) });
    const health =
      result.exitCode === 0
        ? 'healthy'
        : streak >= healthCheck.retries
          ? 'unhealthy'
          : (before ?? 'starting');
    return health === before ? undefined : { ...now, health };
  });
  if (after?.health !== undefined && before !== undefined && after.health !== before)
    noteEvents(ofContainer(after, `health_status: ${after.health}`));
  const health = after?.health ?? before;
  return health === 'starting' && Date.now() - Date.parse(started ?? '') < healthCheck.startPeriod;
}

async function carryOut(id: string, { test, timeout }: HealthCheck): Promise<HealthResult> {
  const start = new Date().toISOString();
  const done = (exitCode: number, output: string) => ({
    start,
    end: new Date().toISOString(),
    exitCode,
    output,
  });
  const late = new AbortController();
  const timer = setTimeout(() => late.abort(), timeout);
  try {
    const program = await exec(id, test, { stdin: 'ignore', signal: late.signal });
    const output = collect([program.stdout, program.stderr]);
    const { code } = await program.wait();
    if (late.signal.aborted) return done(-1, `Health check exceeded timeout (${timeout}ms)`);
    // What it left behind may hold its streams open for ever.
    return done(code, await Promise.race([output.ended, sleep(200)]).then(() => output.text()));
  } catch (error) {
    return done(-1, (error as Error).message);
  } finally {
    clearTimeout(timer);
  }
}

/** Docker keeps 4096 bytes. */
function collect(streams: (NodeJS.ReadableStream | null)[]): { text(): string; ended: Promise<unknown> } {
  const chunks: Buffer[] = [];
  let length = 0;
  const ended = streams.map(
    (stream) =>
      new Promise<void>((resolve) => {
        stream?.on('data', (chunk: Buffer) => {
          if (length < LONGEST) chunks.push(chunk.subarray(0, LONGEST - length));
          length += chunk.length;
        });
        if (stream === null) resolve();
        stream?.once('end', resolve).once('error', () => resolve());
      }),
  );
  return { ended: Promise.all(ended), text: () => Buffer.concat(chunks).toString('utf8') };
}

const LONGEST = 4096;

function sleep(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
