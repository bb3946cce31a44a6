import { Refusal, unreachable } from './failure.ts';
import { TransportError } from './http/index.ts';
import type { Settings } from './settings.ts';
import type { RegistryOptions } from './types.ts';

/** Decides whether something that failed is tried again, and waits until it should be. */
export class Retry {
  readonly #settings: Settings;
  readonly #options: RegistryOptions;
  #failures = 0;

  constructor(settings: Settings, options: RegistryOptions) {
    this.#settings = settings;
    this.#options = options;
  }

  /** There was progress: what failed before no longer counts. */
  reset(): void {
    this.#failures = 0;
  }

  /**
   * Waits for the next try.
   *
   * @param what for the message: "docker.io/library/alpine"
   * @param reached whether this server has ever answered. One that never has is more likely misspelt than asleep
   * @throws {TsboxError} the failure itself, where there is to be no next try
   */
  async after(error: unknown, what: string, reached: boolean): Promise<void> {
    const { retry, wait } = this.#settings;
    const failure = error instanceof TransportError ? unreachable(error, what) : error;
    if (!isPassing(error, reached)) throw failure;
    this.#failures += (error as TransportError).code === 'ETIMEDOUT' ? 3 : 1;
    if (this.#failures >= retry.attempts) throw failure;
    const asked = error instanceof Refusal ? error.retryAfter : undefined;
    if (asked !== undefined && asked > retry.longestRetryAfter) throw tooLong(error as Refusal, asked);
    const backoff = Math.min(retry.firstDelay * 2 ** (this.#failures - 1), retry.longestDelay);
    // At random, so that all those who were turned away together do not come back together.
    const delay = Math.max(backoff * (1 - Math.random() / 2), asked ?? 0);
    this.#options.onRetry?.((failure as Error).message, delay / 1000);
    await wait(delay, this.#options.signal);
  }
}

/** Statuses: request time-out, too many requests, and a server's own troubles, but not those that will be the same tomorrow. */
function isPassing(error: unknown, reached: boolean): boolean {
  if (error instanceof TransportError) {
    const same = error.certificate || error.noTls || error.code.startsWith('HPE_');
    return !same && (error.connected || reached);
  }
  if (!(error instanceof Refusal)) return false;
  const { status } = error;
  return status === 408 || status === 429 || (status >= 500 && status !== 501 && status !== 505);
}

function tooLong(error: Refusal, milliseconds: number): Refusal {
  const seconds = Math.ceil(milliseconds / 1000);
  return new Refusal(error.code, `${error.message}; it wants to be asked again in ${seconds} seconds`, {
    status: error.status,
    advice: error.advice,
  });
}
