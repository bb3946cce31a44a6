import { readSync, writeSync } from 'node:fs';
import { closeDescriptor, socketPair, syscall, waitHere, waitReadable } from '../../kernel/index.ts';

/**
 * What connects who makes a container's network with the container's own process, while both are at work. src/runtime/network-steps.ts is the other side.
 */
export class Wire {
  /** The container's end. The plan that is given it closes it. */
  readonly theirs: number;
  readonly #ours: number;
  #abandoned = false;

  constructor() {
    [this.#ours, this.theirs] = socketPair('stream');
  }

  /** Resolves once the container's network namespace is there; with false where the container is gone instead. */
  async asked(mayBlock: boolean): Promise<boolean> {
    if (!mayBlock || !waitHere(this.#ours, 'readable', 100)) await waitReadable(this.#ours);
    try {
      return readSync(this.#ours, Buffer.alloc(1)) === 1;
    } catch (error) {
      if (isGone(error)) return false;
      throw error;
    }
  }

  /** Its network is up: it goes on. One that was killed meanwhile is nothing to complain of here. */
  answer(): void {
    try {
      writeSync(this.#ours, 'k');
    } catch (error) {
      if (!isGone(error)) throw error;
    }
  }

  /** It need not wait: there will be no network. By shutdown(2), since others that are being cloned just now have this end as well. */
  refuse(): void {
    syscall('shutdown', [this.#ours, SHUT_RDWR], { doing: 'give up a network' });
  }

  /** Closes the container's end here; once, however often it is called. */
  abandon(): void {
    if (!this.#abandoned) closeDescriptor(this.theirs);
    this.#abandoned = true;
  }

  close(): void {
    closeDescriptor(this.#ours);
  }
}

function isGone(error: unknown): boolean {
  return ['EPIPE', 'ECONNRESET'].includes((error as NodeJS.ErrnoException).code ?? '');
}

const SHUT_RDWR = 2;
