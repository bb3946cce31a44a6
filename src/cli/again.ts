import { type KeptRun, openKept } from '../kept.ts';
import { leave } from '../leave.ts';
import { runInForeground } from './run/foreground.ts';
import { showWarnings } from './warnings.ts';

export { leave };

/**
 * A `tsbox run` whose plan was kept: a bundle of its own, so that nothing is loaded that is not needed when everything is known
 * already. src/start/tsbox.ts calls it where there is a file.
 *
 * @returns the exit code; undefined where the command has to be run as any other. Nothing has happened then
 */
export async function again(file: string, key: string): Promise<number | undefined> {
  const kept = open(file, key);
  if (kept === undefined) return undefined;
  showWarnings();
  const { image, command, options, attach } = kept.request;
  const streams = new Set(attach as ('stdin' | 'stdout' | 'stderr')[]);
  const request = { image, command, options, attach: streams, profile: false, sigProxy: true };
  try {
    const { exitCode } = await runInForeground(request, kept.run);
    return exitCode;
  } catch (error) {
    // It says what is wrong, or it works.
    if (!kept.started) return undefined;
    const { report } = await import('./report.ts');
    return report(error);
  }
}

function open(file: string, key: string): KeptRun | undefined {
  try {
    return openKept(file, key);
  } catch {
    // Whatever it is, the usual way says it better.
    return undefined;
  }
}
