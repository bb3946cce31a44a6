import { readFileSync } from 'node:fs';
import { sumOf } from '../kernel/sum.ts';
import type { Wanted } from './making.ts';

/** What a container has in common with others, and what it has for itself. */
export interface Likeness {
  /** A short name for `key`. */
  sum: string;
  /** All that a container is made from, with numbers in place of names. */
  key: string;
  names: readonly string[];
}

/**
 * An engine gives each container of a kind the same configuration but for the names that it makes up, in paths, the cgroup and the host name: long
 * runs of hexadecimal digits, and UUIDs; and when it was made, which counts as a name here. Containers that differ in nothing else have the same key.
 *
 * @param config the text, byte for byte
 * @param build which tsbox this is; undefined: nothing is like anything
 */
export function likenessOf(
  config: Buffer,
  wanted: Wanted,
  build: string | undefined = thisBuild(),
): Likeness | undefined {
  // A scope of systemd's has another process in it each time.
  if (build === undefined || wanted.systemd) return undefined;
  const names: string[] = [];
  const named = `${JSON.stringify(wanted)} ${config.toString('latin1')}`.replace(NAME, (name) => {
    if (!isName(name)) return name;
    const known = names.indexOf(name);
    // Equal names have equal numbers. JSON has no NUL. A time that ends in zeros is written without them.
    const length = name.endsWith('Z') ? 'time' : name.length;
    return `\0${known >= 0 ? known : names.push(name) - 1}:${length}\0`;
  });
  // In these nothing is a name, whatever it looks like.
  const kernel = readFileSync('/proc/sys/kernel/osrelease', 'latin1').trim();
  const key = `${build} ${process.arch} ${kernel} ${named}`;
  return { key, names, sum: sumOf(Buffer.from(key, 'latin1')) };
}

/** The same text with other names: each of `from` that is in it becomes the one of `to` at its place. */
export function withNames(text: string, from: readonly string[], to: readonly string[]): string {
  return text.replace(NAME, (name) => {
    const at = from.indexOf(name);
    return at < 0 ? name : (to[at] as string);
  });
}

/** Where names are in a text: offset, and which of them. */
export function placesOf(text: string, names: readonly string[]): Places {
  const places: [number, number][] = [];
  for (const { 0: name, index } of text.matchAll(NAME)) {
    const known = names.indexOf(name);
    if (known >= 0) places.push([index, known]);
  }
  return places;
}

export type Places = readonly (readonly [at: number, name: number])[];

/** An id is 64 digits, and the shortest form of one 12. No word of a configuration is made of so many. Times are in UTC: RFC 3339. */
const NAME =
  /[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|[0-9a-f]{12,}|\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?Z/g;

/** Not what may be a number, or a part of one, with an exponent: of those not only the digits count. */
function isName(text: string): boolean {
  return !/^\d*e?\d*$/.test(text);
}

/** The digest of the bundle, which src/start/tsbox.ts leaves. */
function thisBuild(): string | undefined {
  if (process.env.TSBOX_KEEP_PLANS === '0') return undefined;
  return (globalThis as Record<symbol, unknown>)[Symbol.for('tsbox.build')] as string | undefined;
}
