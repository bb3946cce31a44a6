/** `7.83MB`: decimal units and three digits, as Docker prints the sizes of images. */
export function decimalSize(bytes: number): string {
  return withUnit(bytes, 1000, ['B', 'kB', 'MB', 'GB', 'TB', 'PB'], '');
}

/** `64 MiB`: binary units, as limits are given. */
export function binarySize(bytes: number): string {
  return withUnit(bytes, 1024, ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'], ' ');
}

/** `3 hours`: how long a number of seconds is, as `docker ps` says it. */
export function age(seconds: number): string {
  const minutes = Math.floor(seconds / 60);
  const hours = Math.round(seconds / 3600);
  if (seconds < 1) return 'Less than a second';
  if (seconds < 2) return '1 second';
  if (seconds < 60) return `${Math.floor(seconds)} seconds`;
  if (minutes === 1) return 'About a minute';
  if (minutes < 60) return `${minutes} minutes`;
  if (hours === 1) return 'About an hour';
  if (hours < 48) return `${hours} hours`;
  if (hours < 24 * 7 * 2) return `${Math.floor(hours / 24)} days`;
  if (hours < 24 * 30 * 2) return `${Math.floor(hours / 24 / 7)} weeks`;
  if (hours < 24 * 365 * 2) return `${Math.floor(hours / 24 / 30)} months`;
  return `${Math.floor(hours / 24 / 365)} years`;
}

/** The same for a moment, as `created` of an image or container is: an ISO date, a Date or milliseconds since 1970. */
export function ago(moment: string | number | Date, now = Date.now()): string {
  const seconds = (now - new Date(moment).getTime()) / 1000;
  return Number.isNaN(seconds) ? 'unknown' : `${age(Math.max(0, seconds))} ago`;
}

/** `2024-01-31 12:00:00 +0000 UTC`, as Go prints a time. */
export function timestamp(moment: string): string {
  return new Date(moment).toISOString().replace(/^(.+)T(.+?)\.\d+Z$/, '$1 $2 +0000 UTC');
}

function withUnit(value: number, base: number, units: string[], space: string): string {
  let power = 0;
  while (value >= base && power < units.length - 1) {
    value /= base;
    power++;
  }
  // Three digits, four where there are that many before the point; no trailing zeros.
  const digits = value >= 100 ? Math.round(value) : Number(value.toPrecision(3));
  return `${digits}${space}${units[power]}`;
}
