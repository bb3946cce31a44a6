import { closeDescriptor } from '../../kernel/index.ts';
import type { PlanInput, ProvidedFile } from '../../runtime/index.ts';
import type { Wire } from './wire.ts';

/** What a start has to do with the network, for those who carry out its plan. */
export interface NetworkStart {
  /** What the plan needs. */
  readonly input: Pick<PlanInput, 'networkSocket' | 'networkNamespace'> & Partial<Pick<PlanInput, 'files'>>;
  /** Makes the network while the container makes its mounts, and lets it go on. Does not throw: see `failure`. */
  connect(pid: number | (() => number), mayBlock: boolean): Promise<void>;
  /** Why there is no network. The container does not start then. */
  readonly failure: unknown;
  /** Closes what the plan closes in the process that carries it out: that was another one, or did not come so far. */
  abandon(): void;
  /** Once the program runs, or does not. */
  close(): void;
}

/**
 * Why a container did not start, where that was its network. Where its own process has failed at something else meanwhile, that is why: it was gone when its
 * interfaces were to be made.
 *
 * @param step at which its plan failed
 */
export function networkFailure(
  network: NetworkStart | undefined,
  step: { call: string } | undefined,
): unknown {
  // Only the network's steps write to a socket.
  return step === undefined || step.call === 'sendto' ? network?.failure : undefined;
}

/** A container whose interfaces are made for it. @param attach makes them, for the namespace of that process */
export class ConnectedStart implements NetworkStart {
  failure: unknown;
  readonly #wire: Wire;
  readonly #attach: (pid: number) => void;

  constructor(wire: Wire, attach: (pid: number) => void) {
    this.#wire = wire;
    this.#attach = attach;
  }

  get input(): NetworkStart['input'] {
    return { networkSocket: this.#wire.theirs };
  }

  async connect(pid: number | (() => number), mayBlock: boolean): Promise<void> {
    try {
      // Where a helper clones it, its PID is known when it says so itself.
      if (typeof pid === 'function' && !(await this.#wire.asked(mayBlock))) return;
      this.#attach(typeof pid === 'function' ? pid() : pid);
      this.#wire.answer();
    } catch (error) {
      this.failure = error;
      this.#wire.refuse();
    }
  }

  abandon(): void {
    this.#wire.abandon();
  }

  close(): void {
    this.#wire.close();
  }
}

/** A container in the network of another one. */
export class JoinedStart implements NetworkStart {
  readonly failure = undefined;
  readonly #namespace: number;
  readonly input: NetworkStart['input'];

  constructor(namespace: number, files: readonly ProvidedFile[]) {
    this.#namespace = namespace;
    this.input = { networkNamespace: namespace, files };
  }

  async connect(): Promise<void> {}

  abandon(): void {}

  close(): void {
    closeDescriptor(this.#namespace);
  }
}
