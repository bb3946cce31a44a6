import type { PullEvent } from '../index.ts';

/** For `onPull` of a new container: what Docker prints where an image has to be pulled first. Loads nothing until then. */
export function reportPull(image: string, quiet = false): () => Promise<(event: PullEvent) => void> {
  return async () => {
    const { RunReport } = await import('./run-report.ts');
    return new RunReport(image, quiet).event;
  };
}
