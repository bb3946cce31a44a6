import { TsboxError } from '../../../kernel/index.ts';

/**
 * A moment as `--since` and `--until` take it, in the log's own notation, which sorts as text: RFC 3339 with or without the time and the zone, seconds since
 * 1970 with or without a fraction, or how long ago (`10m`, `1h30m`).
 *
 * @throws {TsboxError} BAD_OPTION
 */
export function moment(flag: string, text: string, now = Date.now()): string {
  const seconds = /^(\d{1,11})(?:\.(\d{1,9}))?$/.exec(text);
  if (seconds) return stamp(Number(seconds[1]) * 1000, (seconds[2] ?? '').padEnd(9, '0'));
  if (/^(\d+(\.\d+)?(h|m|s|ms))+$/.test(text)) {
    let ago = 0;
    for (const [, count, unit] of text.matchAll(/(\d+(?:\.\d+)?)(ms|h|m|s)/g))
      ago += Number(count) * UNITS[unit as keyof typeof UNITS];
    return new Date(Math.max(0, now - ago)).toISOString().replace('Z', '000000Z');
  }
  const written =
    /^(\d{4}-\d\d-\d\d)(?:T(\d\d(?::\d\d(?::\d\d)?)?)(?:\.(\d{1,9}))?)?(Z|[+-]\d\d:\d\d)?$/.exec(text);
  if (written) {
    const [, date, time = '00:00:00', fraction = '', zone = ''] = written;
    const full = `${time}:00:00`.slice(0, 8);
    // Without a zone it is local time, as in Docker.
    const at = Date.parse(`${date}T${full}${zone}`);
    if (!Number.isNaN(at)) return stamp(at, fraction.padEnd(9, '0'));
  }
  throw new TsboxError(
    'BAD_OPTION',
    `${flag} ${JSON.stringify(text)}: not a time, such as 2026-11-23T10:00:00Z, 1763892000, or 10m for ten minutes ago`,
  );
}

function stamp(milliseconds: number, fraction: string): string {
  return `${new Date(milliseconds).toISOString().slice(0, 19)}.${fraction}Z`;
}

const UNITS = { h: 3_600_000, m: 60_000, s: 1000, ms: 1 };
