import { run as start } from '../index.ts';
import { printError } from './output.ts';
import { reportPull } from './report-pull.ts';
import type { RunArguments } from './run/arguments.ts';
import { runInForeground } from './run/foreground.ts';
import { keepForNextTime } from './run/keep.ts';
import { readPlainArguments } from './run/quick.ts';
import { usageError } from './usage.ts';

/** `tsbox run`: a new container, in the foreground unless something else is asked for. The exit code is the program's. */
export async function run(args: string[]): Promise<number> {
  const request = readPlainArguments(args) ?? (await readEveryArgument(args));
  if (request.image === '') throw usageError('run', "the image's name is empty");
  if (request.explain !== undefined) {
    const { explainOnly } = await import('./run/explain.ts');
    return explainOnly(request);
  }
  if (livesOn(request)) {
    const { runMonitored } = await import('./run/monitored.ts');
    return runMonitored(request);
  }
  const { image, command, options } = request;
  const onPull = reportPull(image, options.quiet);
  const { exitCode, profile } = await runInForeground(request, (how) =>
    start(image, command, { ...how, onPull }),
  );
  keepForNextTime(request);
  if (profile !== undefined) printError(profile);
  return exitCode;
}

/** Whether the container may outlive this process: in the background, or because one can let go of it, or because it is started again. */
function livesOn({ detach, detachKeys, options }: RunArguments): boolean {
  return detach === true || detachKeys !== undefined || (options.restart ?? 'no') !== 'no';
}

async function readEveryArgument(args: string[]): Promise<RunArguments> {
  const { readRunArguments } = await import('./run/arguments.ts');
  return readRunArguments(args);
}
