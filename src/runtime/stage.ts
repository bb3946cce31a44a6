import { type Argument, Slot, type Step } from '../launch/index.ts';

/** Writes the steps of one stage at the end of a list. */
export class Stage {
  readonly #list: Step[];
  readonly #name: string;

  constructor(list: Step[], name: string) {
    this.#list = list;
    this.#name = name;
  }

  /** Adds a call. */
  call(call: Step['call'], args: readonly Argument[], why: string, more: Partial<Step> = {}): void {
    this.#list.push({ stage: this.#name, call, args, why, ...more });
  }

  /** Adds a call whose result later steps use. */
  open(
    name: string,
    call: Step['call'],
    args: readonly Argument[],
    why: string,
    more: Partial<Step> = {},
  ): Slot {
    const save = new Slot(name);
    this.call(call, args, why, { save, ...more });
    return save;
  }
}
