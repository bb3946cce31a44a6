/** What can be set about a client for tests and unusual networks; everybody else has SETTINGS. */
export interface Settings {
  timeouts: Timeouts;
  retry: RetrySettings;
  /** Where the proxies and the places of the configuration files are looked up. */
  environment: Readonly<Record<string, string | undefined>>;
  /** Directories with `HOST[:PORT]/ca.crt`, `client.cert` and `client.key`, as Docker and Podman have them. */
  certificateDirectories: readonly string[];
  /** Waits, or throws the signal's reason. */
  wait(milliseconds: number, signal?: AbortSignal): Promise<void>;
}

/** In milliseconds. None limits how long a transfer may take in all: a slow line is no fault. */
export interface Timeouts {
  /** From the start to a connection: name, TCP, proxy, TLS. */
  connect: number;
  /** From the last byte of the request to the first of the answer. */
  response: number;
  /** Between two pieces of a body, in either direction. */
  idle: number;
}

export interface RetrySettings {
  /** How many times one request is tried, the first included; a time-out counts as three. For a blob: in a row without progress. */
  attempts: number;
  /** The wait before the second try, in milliseconds, doubled for each further one; less up to a half, at random. */
  firstDelay: number;
  longestDelay: number;
  /** The longest wait that a registry may ask for with Retry-After, in milliseconds; a longer one is an error that says it. */
  longestRetryAfter: number;
}

export const SETTINGS: Settings = {
  timeouts: { connect: 30_000, response: 60_000, idle: 60_000 },
  retry: { attempts: 6, firstDelay: 500, longestDelay: 15_000, longestRetryAfter: 120_000 },
  environment: process.env,
  certificateDirectories: ['/etc/containers/certs.d', '/etc/docker/certs.d'],
  wait,
};

function wait(milliseconds: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason);
    const stop = () => {
      clearTimeout(timer);
      reject(signal?.reason);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', stop);
      resolve();
    }, milliseconds);
    signal?.addEventListener('abort', stop, { once: true });
  });
}
