import type { PullEvent } from '../index.ts';
import { LayerLines } from './layer-lines.ts';
import { printError } from './output.ts';
import { safe } from './safe.ts';
import { decimalSize } from './units.ts';

type LayerEvent = Extract<PullEvent, { kind: 'layer' }>;

/** Says how far a pull is: a line a layer, on a terminal with bars and a total. */
export class PullReport {
  readonly #lines: LayerLines;
  readonly #sizes = new Map<string, number>();
  readonly #layers = new Map<string, LayerEvent>();
  readonly #name: string;
  readonly #quiet: boolean;
  readonly #began = Date.now();
  #received = 0;
  /** What was here before: it says nothing about the speed. */
  #before = 0;
  #total = 0;

  constructor(name: string, quiet: boolean, to: 'stdout' | 'stderr') {
    this.#name = name;
    this.#quiet = quiet;
    this.#lines = new LayerLines(!quiet, to);
  }

  /** For `onProgress`. */
  readonly event = (event: PullEvent): void => {
    if (event.kind === 'waiting') {
      if (!this.#quiet) printError(`tsbox: waiting for another tsbox that pulls \`${safe(this.#name)}\`\n`);
    } else if (event.kind === 'retry') {
      printError(`tsbox: ${safe(event.why)}; trying again in ${Math.ceil(event.seconds)} s\n`);
    } else if (event.kind === 'found') {
      for (const { digest, size } of event.layers) this.#sizes.set(digest, size);
      this.#total = [...this.#sizes.values()].reduce((sum, size) => sum + size, 0);
      for (const digest of this.#sizes.keys()) this.#lines.state(digest, 'Pulling fs layer');
    } else if (event.kind === 'layer') this.#layer(event);
  };

  end(): void {
    this.#lines.end();
  }

  #layer(event: LayerEvent): void {
    const { digest, state, received } = event;
    const before = this.#layers.get(digest);
    this.#layers.set(digest, event);
    const size = this.#sizes.get(digest) ?? 0;
    this.#received += received - (before?.received ?? 0);
    if (state === 'exists') this.#before += size;
    if (state === 'downloading') this.#lines.progress(digest, 'Downloading', received, size);
    else if (state === 'unpacking') this.#unpacking(event, before, size);
    else if (state !== before?.state) this.#lines.state(digest, WORDS[state]);
    this.#lines.total(() => this.#summary());
  }

  #unpacking({ digest, unpacked }: LayerEvent, before: LayerEvent | undefined, size: number): void {
    if (before?.state !== 'unpacking') this.#lines.state(digest, 'Download complete');
    this.#lines.progress(digest, 'Extracting', unpacked, size);
  }

  /** `52.4MB of 78.3MB, 41.2MB/s, 1 s left` */
  #summary(): string {
    const seconds = (Date.now() - this.#began) / 1000;
    const rate = (this.#received - this.#before) / Math.max(seconds, 0.1);
    const left = this.#total - this.#received;
    const amount = `Total: ${decimalSize(this.#received)} of ${decimalSize(this.#total)}`;
    if (left <= 0) return `${amount}, unpacking`;
    const time = rate > 0 ? `, ${timeLeft(left / rate)} left` : '';
    return `${amount}, ${decimalSize(rate)}/s${time}`;
  }
}

/** Docker's. */
const WORDS = {
  exists: 'Already exists',
  waiting: 'Waiting',
  done: 'Pull complete',
};

function timeLeft(seconds: number): string {
  if (seconds < 100) return `${Math.ceil(seconds)} s`;
  const minutes = Math.ceil(seconds / 60);
  return minutes < 100 ? `${minutes} min` : `${Math.ceil(minutes / 60)} h`;
}
