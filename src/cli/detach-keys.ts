import { Transform } from 'node:stream';
import { TsboxError } from '../index.ts';

/** What is typed to let go of a container, as bytes: `ctrl-p,ctrl-q`, Docker's default. Empty for none. @throws {TsboxError} BAD_OPTION */
export function parseDetachKeys(text = 'ctrl-p,ctrl-q'): number[] {
  if (text === '') return [];
  return text.split(',').map((key) => {
    const control = /^ctrl-([a-z@[\\\]^_])$/i.exec(key)?.[1];
    if (control !== undefined) return control.toUpperCase().charCodeAt(0) & 0x1f;
    if (key.length === 1 && key.charCodeAt(0) < 0x80) return key.charCodeAt(0);
    throw new TsboxError(
      'BAD_OPTION',
      `--detach-keys ${JSON.stringify(text)}: ${JSON.stringify(key)} is not a character or ctrl- with a letter or one of @ [ \\ ] ^ _`,
    );
  });
}

/** Passes on what is typed, until the keys are. */
export function watchForKeys(text: string | undefined, detach: () => void): Transform {
  const keys = new DetachKeys(parseDetachKeys(text));
  return new Transform({
    transform(typed: Buffer, _, done) {
      const { passed, complete } = keys.filter(typed);
      this.push(passed);
      // Once it is on its way: what was typed before the keys is the program's.
      if (complete) setImmediate(detach);
      done();
    },
  });
}

/** Watches what is typed for the keys. */
export class DetachKeys {
  readonly #keys: readonly number[];
  /** How many of the keys were typed last; they are held back until it is clear what they are. */
  #matched = 0;

  constructor(keys: readonly number[]) {
    this.#keys = keys;
  }

  /** What of it the container is to get, and whether the keys were complete then; what follows them is nobody's. */
  filter(typed: Uint8Array): { passed: Buffer; complete: boolean } {
    const passed: number[] = [];
    for (const byte of typed) {
      if (byte !== this.#keys[this.#matched]) {
        // What was held back was something else; but this byte may be the first of the keys.
        passed.push(...this.#keys.slice(0, this.#matched));
        this.#matched = 0;
      }
      if (byte !== this.#keys[this.#matched]) passed.push(byte);
      else if (++this.#matched === this.#keys.length) return { passed: Buffer.from(passed), complete: true };
    }
    return { passed: Buffer.from(passed), complete: false };
  }
}
