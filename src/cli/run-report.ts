import { findImage, type PullEvent, parseReference } from '../index.ts';
import { printError } from './output.ts';
import { PullReport } from './pull-report.ts';

/** The same as `tsbox pull` shows, on standard error: standard output is the container's. */
export class RunReport {
  readonly #report: PullReport;
  readonly #quiet: boolean;
  readonly #image: string;

  constructor(image: string, quiet: boolean) {
    this.#image = image;
    this.#quiet = quiet;
    const { name } = parseReference(image);
    this.#report = new PullReport(name, quiet, 'stderr');
    if (!quiet && !isHere(image)) printError(`Unable to find image '${name}' locally\n`);
  }

  readonly event = (event: PullEvent): void => {
    const { tag, digest, path, name } = parseReference(this.#image);
    if (event.kind === 'found' && !this.#quiet) printError(`${tag ?? digest}: Pulling from ${path}\n`);
    if (event.kind !== 'done') {
      this.#report.event(event);
      return;
    }
    this.#report.end();
    if (this.#quiet) return;
    const status = event.isNew ? 'Downloaded newer image for' : 'Image is up to date for';
    printError(`Digest: ${event.digest}\nStatus: ${status} ${name}\n`);
  };
}

function isHere(image: string): boolean {
  try {
    findImage(image);
    return true;
  } catch {
    return false;
  }
}
