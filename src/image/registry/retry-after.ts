/**
 * The header Retry-After: seconds or a date. RFC 9110, section 10.2.3.
 *
 * @returns milliseconds from `now`, or undefined for what is neither
 */
export function parseRetryAfter(header: string | undefined, now: number): number | undefined {
  if (header === undefined) return undefined;
  if (/^\s*\d{1,9}\s*$/.test(header)) return Number(header) * 1000;
  // Date.parse takes much more than HTTP has; every form that HTTP has begins with a weekday and ends in the year or GMT.
  if (!/^\s*[A-Z][a-z]+,? /.test(header)) return undefined;
  // asctime's form has no zone, and means GMT like the others.
  const date = Date.parse(/GMT\s*$/.test(header) ? header : `${header.trim()} GMT`);
  return Number.isNaN(date) ? undefined : Math.max(0, date - now);
}
