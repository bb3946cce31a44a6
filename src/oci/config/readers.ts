import { TsboxError } from '../../kernel/error.ts';

/**
 * Reads a part of somebody's JSON, and gives back what of it is known: a new value, so that nothing that was not looked at goes further. `at` is where
 * it stands, as a JSON path.
 */
export type Reader<T> = (value: unknown, at: string) => T;

/** @throws {TsboxError} BAD_CONFIG, exit code 1 as runc's */
export function refuse(at: string, what: string, advice?: string): never {
  throw new TsboxError('BAD_CONFIG', `${at || 'the configuration'}: ${what}`, {
    exitCode: 1,
    ...(advice !== undefined && { advice }),
  });
}

/** A value of a stranger's in a message: on one line, and short. */
export function quote(value: unknown): string {
  const text = typeof value === 'bigint' ? String(value) : (JSON.stringify(value) ?? String(value));
  return text.length > 60 ? `${text.slice(0, 60)}…` : text;
}

/** Text for the kernel: no NUL, which would end it early, and no half of a surrogate pair, which has no UTF-8. */
export function text(
  options: { most?: number; empty?: boolean; oneOf?: readonly string[] } = {},
): Reader<string> {
  const { most = 1 << 20, empty = true, oneOf } = options;
  return (value, at) => {
    if (typeof value !== 'string') refuse(at, `expected a string, found ${quote(value)}`);
    if (value.length > most) refuse(at, `longer than ${most} characters`);
    if (value.includes('\0')) refuse(at, `has a NUL character: ${quote(value)}`);
    if (/\p{Surrogate}/u.test(value)) refuse(at, `is not Unicode: ${quote(value)}`);
    if (!empty && value === '') refuse(at, 'is empty');
    if (oneOf !== undefined && !oneOf.includes(value))
      refuse(at, `unknown: ${quote(value)}, expected one of ${oneOf.join(', ')}`);
    return value;
  };
}

/** A path for the kernel, which takes at most 4095 bytes. */
export function path(options: { absolute?: boolean } = {}): Reader<string> {
  const read = text({ most: 4095, empty: false });
  return (value, at) => {
    const found = read(value, at);
    if (Buffer.byteLength(found) > 4095) refuse(at, 'longer than 4095 bytes');
    if (options.absolute && !found.startsWith('/'))
      refuse(at, `must be an absolute path, found ${quote(found)}`);
    return found;
  };
}

export function bool(value: unknown, at: string): boolean {
  if (typeof value !== 'boolean') refuse(at, `expected true or false, found ${quote(value)}`);
  return value;
}

/** A whole number; one that no double holds is given as the nearest. */
export function whole(least: number, most: number): Reader<number> {
  return (value, at) => {
    const found = typeof value === 'bigint' ? Number(value) : value;
    if (typeof found !== 'number' || !Number.isInteger(found))
      refuse(at, `expected a whole number, found ${quote(value)}`);
    if (found < least || found > most) refuse(at, `expected ${least} to ${most}, found ${quote(value)}`);
    return found;
  };
}

export const U32 = whole(0, 2 ** 32 - 1);
export const U16 = whole(0, 65535);
export const I64 = whole(-(2 ** 63), 2 ** 63);
export const U64 = whole(0, 2 ** 64);

export function listOf<T>(read: Reader<T>, most = 65536): Reader<T[]> {
  return (value, at) => {
    if (!Array.isArray(value)) refuse(at, `expected a list, found ${quote(value)}`);
    if (value.length > most) refuse(at, `more than ${most} elements`);
    return value.map((element, index) => read(element, `${at}[${index}]`));
  };
}

export function mapOf<T>(read: Reader<T>, most = 65536): Reader<Record<string, T>> {
  return (value, at) => {
    const entries = Object.entries(object(value, at));
    if (entries.length > most) refuse(at, `more than ${most} entries`);
    const name = text();
    // Without a prototype: a key may be called `__proto__`.
    const result: Record<string, T> = Object.create(null);
    for (const [key, element] of entries) {
      const where = `${at}[${quote(key)}]`;
      result[name(key, where)] = read(element, where);
    }
    return result;
  };
}

export function object(value: unknown, at: string): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    refuse(at, `expected an object, found ${quote(value)}`);
  return value as Record<string, unknown>;
}

type Shape = Record<string, Reader<unknown>>;
type Read<S extends Shape, K extends keyof S> = { [N in K]: ReturnType<S[N]> };

/**
 * An object's known properties; others are left out (the specification: "runtimes MUST NOT generate an error" for them). `null` is as good as
 * absent: Go writes it for what is empty.
 */
export function shape<Required extends Shape, Optional extends Shape>(
  required: Required,
  optional: Optional,
): Reader<Read<Required, keyof Required> & Partial<Read<Optional, keyof Optional>>> {
  return (value, at) => {
    const found = object(value, at);
    const result: Record<string, unknown> = {};
    const prefix = at === '' ? '' : `${at}.`;
    for (const [name, read] of Object.entries(required)) {
      const part = own(found, name);
      if (part === undefined) refuse(`${prefix}${name}`, 'is missing');
      result[name] = read(part, `${prefix}${name}`);
    }
    for (const [name, read] of Object.entries(optional)) {
      const part = own(found, name);
      if (part !== undefined) result[name] = read(part, `${prefix}${name}`);
    }
    return result as Read<Required, keyof Required> & Partial<Read<Optional, keyof Optional>>;
  };
}

function own(object: Record<string, unknown>, name: string): unknown {
  const value = Object.hasOwn(object, name) ? object[name] : undefined;
  return value === null ? undefined : value;
}

/** A property that this runtime knows and cannot do. */
export function refused(why: string, advice?: string): Reader<never> {
  return (_, at) => refuse(at, why, advice);
}
