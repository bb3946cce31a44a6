import { encodeAttributes, IFLA, NLM_F, type Reply, type Request } from '../../kernel/netlink/index.ts';
import type { Netlink } from './netlink.ts';
import { linkHeader } from './requests.ts';

/** What was to go to the kernel with one send, and what for. */
export interface Recorded {
  what: string;
  requests: readonly Request[];
}

/**
 * Stands in for a socket where it is only to be said what would be made: questions are asked, what would change something is written down. The code that makes
 * links cannot tell, and goes on as if all had been made.
 */
export class Recorder implements Netlink {
  readonly batches: Recorded[] = [];
  readonly #kernel: Netlink | undefined;
  readonly #made = new Map<string, Request>();
  readonly #indexes = new Map<string, number>();

  /** @param kernel undefined for a namespace that is not there yet: it has every interface that is asked for */
  constructor(kernel?: Netlink) {
    this.#kernel = kernel;
  }

  batch(requests: readonly Request[], what: string): void {
    for (const request of requests) {
      const name = nameIn(request);
      if (name !== undefined && ((request.flags ?? 0) & NLM_F.NLM_F_CREATE) !== 0)
        this.#made.set(name, request);
    }
    this.batches.push({ what, requests });
  }

  get(request: Request, trying: string): Reply | undefined {
    const name = nameIn(request);
    const made = name === undefined ? undefined : this.#made.get(name);
    if (name === undefined || made === undefined) return this.#kernel?.get(request, trying);
    const header = linkHeader({ index: this.#indexFor(name) });
    const payload = Buffer.concat([header, encodeAttributes(made.attributes ?? [])]);
    return { type: 0, flags: 0, sequence: 0, payload };
  }

  indexOf(name: string): number | undefined {
    if (this.#kernel === undefined || this.#made.has(name)) return this.#indexFor(name);
    const index = this.#kernel.indexOf(name);
    if (index !== undefined) this.#indexes.set(name, index);
    return index;
  }

  /** As if all were well: init puts `lo` up, and the rest is made here. */
  stateOf(_name: string): { up: boolean; running: boolean } {
    return { up: true, running: true };
  }

  /** Which interface a number in a message means. */
  nameOf(index: number): string {
    if (index === 1) return 'lo';
    for (const [name, known] of this.#indexes) if (known === index) return name;
    return `number ${index}`;
  }

  #indexFor(name: string): number {
    const index = this.#indexes.get(name) ?? NOT_YET + this.#indexes.size;
    this.#indexes.set(name, index);
    return index;
  }
}

function nameIn({ attributes = [] }: Request): string | undefined {
  const value = attributes.find(([type]) => type === IFLA.IFLA_IFNAME)?.[1];
  return typeof value === 'string' ? value : undefined;
}

/** No interface has so high a number: the kernel counts from 1 on. */
const NOT_YET = 0x7fff0000;
