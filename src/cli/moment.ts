import { usageError } from './usage.ts';

/**
 * A moment as Docker's `until` and `since` take it: RFC 3339 in whole or in part (`2024-01-31`), seconds since 1970, or how long ago in Go's words
 * (`10m`, `1h30m`).
 *
 * @param flag as it was typed, for the message
 */
export function parseMoment(command: string, flag: string, text: string, now = Date.now()): Date {
  const ago = duration(text);
  const milliseconds =
    ago !== undefined ? now - ago : /^\d+(\.\d{1,9})?$/.test(text) ? Number(text) * 1000 : dateOf(text);
  const moment = new Date(milliseconds);
  if (!Number.isNaN(moment.getTime())) return moment;
  throw usageError(command, `${flag}: not a time; right would be 2024-01-31T12:00:00, or 24h for a day ago`);
}

/** Without a zone it is this machine's, as in Docker; a date alone is its first moment. */
function dateOf(text: string): number {
  if (!/^\d{4}-\d\d-\d\d(T\d\d(:\d\d(:\d\d(\.\d+)?)?)?)?(Z|[+-]\d\d:\d\d)?$/.test(text)) return Number.NaN;
  const time = text.includes('T') ? text : text.replace(/^(.{10})/, '$1T00:00');
  return Date.parse(time.replace(/T(\d\d)(?=Z|[+-]|$)/, 'T$1:00'));
}

/** In milliseconds; undefined for what is no duration of Go's. */
function duration(text: string): number | undefined {
  if (!/^(\d+(\.\d+)?(ns|us|µs|ms|s|m|h))+$/.test(text)) return undefined;
  const parts = [...text.matchAll(/(\d+(?:\.\d+)?)(ns|us|µs|ms|s|m|h)/g)];
  return parts.reduce((sum, [, count, unit = '']) => sum + Number(count) * (UNITS[unit] ?? 0), 0);
}

const UNITS: Record<string, number> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
};
