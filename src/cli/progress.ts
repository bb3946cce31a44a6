import { printError } from './output.ts';
import { decimalSize } from './units.ts';

/** A line on the terminal that says how far something is; nothing at all where standard error is no terminal. */
export class Progress {
  readonly #label: string;
  readonly #shown: boolean;
  #last = 0;
  #visible = false;

  constructor(label: string, wanted: boolean) {
    this.#label = label;
    this.#shown = wanted && process.stderr.isTTY === true && process.env.TERM !== 'dumb';
  }

  /** Redraws at most ten times a second. A function of its own object, so that it can be handed over. */
  readonly update = (done: number, total?: number): void => {
    const now = Date.now();
    if (!this.#shown || now - this.#last < 100) return;
    this.#last = now;
    this.#visible = true;
    printError(`\r\x1b[K${progressLine(this.#label, done, total, process.stderr.columns ?? 80)}`);
  };

  clear(): void {
    if (this.#visible) printError('\r\x1b[K');
    this.#visible = false;
  }
}

/** `importing  ████████░░░░░░░░  3.2MB of 6.4MB`, never longer than a line. */
export function progressLine(label: string, done: number, total: number | undefined, width: number): string {
  if (total === undefined || total <= 0) return `${label}  ${decimalSize(done)}`.slice(0, width - 1);
  const amount = `${decimalSize(done)} of ${decimalSize(total)}`;
  const room = Math.min(40, width - label.length - amount.length - 5);
  if (room < 8) return `${label}  ${amount}`.slice(0, width - 1);
  const filled = Math.round(room * Math.min(1, done / total));
  return `${label}  ${'█'.repeat(filled)}${'░'.repeat(room - filled)}  ${amount}`;
}
