import { print, printError } from './output.ts';
import { progressLine } from './progress.ts';

/**
 * A line a layer, as Docker shows them: on a terminal each stays where it is and is drawn again; elsewhere each change of its state
 * is a line, and how far it is is not said.
 */
export class LayerLines {
  readonly #shown: boolean;
  readonly #drawn: boolean;
  readonly #lines = new Map<string, string>();
  readonly #stream: { isTTY?: boolean; columns?: number; rows?: number };
  readonly #print: (text: string) => void;
  /** Below the layers, on a terminal only. */
  #footer = '';
  #last = 0;
  /** Lines of the terminal that are ours, above the cursor. */
  #height = 0;

  /** @param shown false: nothing is printed at all */
  constructor(shown: boolean, to: 'stdout' | 'stderr' = 'stdout') {
    this.#shown = shown;
    this.#stream = process[to];
    this.#print = to === 'stdout' ? print : printError;
    this.#drawn = shown && this.#stream.isTTY === true && process.env.TERM !== 'dumb';
  }

  /** What is now being done with a layer: `Pushed`. */
  state(digest: string, text: string): void {
    const id = digest.replace(/^sha256:/, '').slice(0, 12);
    this.#lines.set(id, `${id}: ${text}`);
    if (this.#drawn) this.#draw();
    else if (this.#shown) this.#print(`${id}: ${text}\n`);
  }

  /** The same with a bar, drawn at most ten times a second. */
  progress(digest: string, text: string, done: number, total: number): void {
    if (!this.#drawn) return;
    const id = digest.replace(/^sha256:/, '').slice(0, 12);
    this.#lines.set(id, progressLine(`${id}: ${text}`, done, total, this.#stream.columns || 80));
    if (Date.now() - this.#last >= 100) this.#draw();
  }

  /** How far all of them are together; called often, and formatted only when it is drawn. */
  total(text: () => string): void {
    if (!this.#drawn || Date.now() - this.#last < 100) return;
    this.#footer = text();
    this.#draw();
  }

  /** The lines stay as they are, and what is printed next comes below them. */
  end(): void {
    this.#footer = '';
    if (this.#drawn && this.#lines.size > 0) this.#draw();
    this.#lines.clear();
    this.#height = 0;
  }

  #draw(): void {
    this.#last = Date.now();
    // What has scrolled away cannot be drawn again: then only the last ones move.
    const room = Math.max(1, (this.#stream.rows || 24) - 1);
    const lines = [...this.#lines.values(), ...(this.#footer === '' ? [] : [this.#footer])];
    const moving = lines.slice(-room);
    const up = Math.min(this.#height, room);
    const text = moving
      .map((line) => `\r\x1b[K${line.slice(0, (this.#stream.columns || 80) - 1)}\n`)
      .join('');
    this.#print(`${up > 0 ? `\x1b[${up}A` : ''}${text}\x1b[J`);
    this.#height = moving.length;
  }
}
