import { report } from './report.ts';

/** Does something with each name; one that fails is reported and does not stop the others. The exit code is that of the last failure. */
export async function forEachName(
  names: readonly string[],
  act: (name: string) => Promise<void>,
): Promise<number> {
  let exitCode = 0;
  for (const name of names) {
    try {
      await act(name);
    } catch (error) {
      exitCode = report(error);
    }
  }
  return exitCode;
}
