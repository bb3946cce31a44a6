import { badOption } from '../options/index.ts';
import type { RunOptions } from '../run-options.ts';

/** How it is found out whether a container does what it is for. Times are in milliseconds. */
export interface HealthCheck {
  /** The program and its arguments. */
  test: string[];
  interval: number;
  timeout: number;
  /** So many failures in a row make it unhealthy. */
  retries: number;
  /** From the start on; failures in it do not count. */
  startPeriod: number;
  /** Between two checks in it, until one of them succeeds. Default: 5 s, or the interval where that is shorter. */
  startInterval?: number;
}

type Asked = Pick<
  RunOptions,
  | 'healthCmd'
  | 'healthInterval'
  | 'healthTimeout'
  | 'healthRetries'
  | 'healthStartPeriod'
  | 'healthStartInterval'
  | 'noHealthcheck'
>;

/**
 * What was asked for, and otherwise what the image says (Docker's `HEALTHCHECK`, with times in nanoseconds). Undefined for no check.
 *
 * @throws {TsboxError} BAD_OPTION
 */
export function healthCheck(options: Asked, image: unknown): HealthCheck | undefined {
  if (options.noHealthcheck) {
    if (options.healthCmd !== undefined)
      throw badOption('--no-healthcheck', undefined, 'conflicts with --health-cmd');
    return undefined;
  }
  const own = (typeof image === 'object' && image !== null ? image : {}) as Record<string, unknown>;
  const test = options.healthCmd ? ['/bin/sh', '-c', options.healthCmd] : imageTest(own.Test);
  if (test === undefined) return undefined;
  const time = (flag: string, asked: string | undefined, given: unknown, usual: number) =>
    asked === undefined ? fromImage(given, usual) : duration(flag, asked);
  return {
    test,
    interval: time('--health-interval', options.healthInterval, own.Interval, 30_000) || 30_000,
    timeout: time('--health-timeout', options.healthTimeout, own.Timeout, 30_000) || 30_000,
    retries: retries(options.healthRetries, own.Retries),
    startPeriod: time('--health-start-period', options.healthStartPeriod, own.StartPeriod, 0),
    ...startIntervalOf(options.healthStartInterval, own.StartInterval),
  };
}

/** How long to wait before the first check, and after one that found the container still starting. */
export function startingInterval({ interval, startPeriod, startInterval }: HealthCheck): number {
  return startPeriod > 0 ? (startInterval ?? Math.min(5000, interval)) : interval;
}

function startIntervalOf(asked: string | undefined, image: unknown): { startInterval?: number } {
  const milliseconds = asked === undefined ? fromImage(image, 0) : duration('--health-start-interval', asked);
  return milliseconds > 0 ? { startInterval: milliseconds } : {};
}

/** An image's JSON is anybody's: what is none of the forms is no check. */
function imageTest(given: unknown): string[] | undefined {
  if (!Array.isArray(given) || !given.every((word) => typeof word === 'string')) return undefined;
  const [kind, ...words] = given as string[];
  if (words.length === 0) return undefined;
  if (kind === 'CMD') return words;
  return kind === 'CMD-SHELL' ? ['/bin/sh', '-c', words[0] as string] : undefined;
}

function fromImage(nanoseconds: unknown, usual: number): number {
  const milliseconds = typeof nanoseconds === 'number' ? Math.round(nanoseconds / 1e6) : 0;
  return milliseconds >= 1 && milliseconds <= LONGEST ? milliseconds : usual;
}

function retries(asked: number | undefined, image: unknown): number {
  if (asked === undefined)
    return Number.isSafeInteger(image) && (image as number) > 0 && (image as number) < 1e6
      ? (image as number)
      : 3;
  if (!Number.isSafeInteger(asked) || asked < 0 || asked > 1e6)
    throw badOption('--health-retries', asked, 'not a number from 0 on', '3');
  return asked || 3;
}

/** Go's words for a time. */
function duration(flag: string, text: string): number {
  if (text === '0') return 0;
  const milliseconds = [...text.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h)/g)].reduce(
    (sum, [, count, unit]) => sum + Number(count) * UNITS[unit as keyof typeof UNITS],
    0,
  );
  const isWhole = /^(\d+(\.\d+)?(ms|s|m|h))+$/.test(text);
  if (isWhole && milliseconds <= LONGEST && (milliseconds === 0 || milliseconds >= 1)) return milliseconds;
  throw badOption(flag, text, 'not a time from 1ms to 24 days', '30s');
}

const UNITS = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };
/** A timer of Node's has 31 bits. */
const LONGEST = 2 ** 31 - 1;
