import { LIMITS, TemplateError } from './limits.ts';
import { printf } from './printf.ts';
import { inner, isStruct, isTrue, json, NIL_LIST, typeName } from './values.ts';

type GoFunction = (...args: unknown[]) => unknown;

/** Docker's functions (docs.docker.com, "Format command and log output") and Go's own. `and` and `or` are the evaluator's: they stop early. */
export const FUNCTIONS: Record<string, GoFunction> = Object.assign(Object.create(null), {
  json: (value) => json(value),
  join: (list, separator) =>
    listOf('join', list)
      .map((each) => inner(each))
      .join(text('join', separator)),
  split: (value, separator) => text('split', value).split(text('split', separator)),
  upper: (value) => text('upper', value).toUpperCase(),
  lower: (value) => text('lower', value).toLowerCase(),
  title: (value) => text('title', value).replace(/(^|[^\p{L}\p{N}_])(\p{L})/gu, (word) => word.toUpperCase()),
  truncate: (value, length) => [...text('truncate', value)].slice(0, integer('truncate', length)).join(''),
  pad: (value, before, after) =>
    value === '' ? '' : `${' '.repeat(width(before))}${text('pad', value)}${' '.repeat(width(after))}`,
  print: (...values) =>
    values.map((value, index) => (gap(values[index - 1], value, index) ? ' ' : '') + inner(value)).join(''),
  println: (...values) => `${values.map((value) => inner(value)).join(' ')}\n`,
  printf: (format, ...values) => printf(text('printf', format), values),
  len: (value) => length(value),
  not: (value) => !isTrue(value),
  eq: (first, ...others) => {
    if (others.length === 0) throw new TemplateError('eq: something to compare with is missing');
    return others.some((other) => equal('eq', first, other));
  },
  ne: (a, b) => !equal('ne', a, b),
  lt: (a, b) => order('lt', a, b) < 0,
  le: (a, b) => order('le', a, b) <= 0,
  gt: (a, b) => order('gt', a, b) > 0,
  ge: (a, b) => order('ge', a, b) >= 0,
  index: (value, ...keys) => keys.reduce(indexed, value),
  slice: (value, from = 0, to = undefined) => sliced(value, from, to),
} satisfies Record<string, GoFunction>);

/** How many arguments each takes, where that is not any number. */
export const ARGUMENTS: Record<string, [least: number, most: number]> = {
  ...Object.fromEntries(['json', 'upper', 'lower', 'title', 'len', 'not'].map((name) => [name, [1, 1]])),
  ...Object.fromEntries(
    ['join', 'split', 'truncate', 'ne', 'lt', 'le', 'gt', 'ge'].map((name) => [name, [2, 2]]),
  ),
  pad: [3, 3],
  slice: [1, 3],
  index: [1, Number.POSITIVE_INFINITY],
  printf: [1, Number.POSITIVE_INFINITY],
  eq: [2, Number.POSITIVE_INFINITY],
};

function text(name: string, value: unknown): string {
  if (typeof value === 'string') return value;
  throw new TemplateError(`${name}: ${typeName(value)} ${inner(value).slice(0, 40)} is no string`);
}

function integer(name: string, value: unknown): number {
  if (Number.isSafeInteger(value) && (value as number) >= 0) return value as number;
  throw new TemplateError(`${name}: ${inner(value).slice(0, 40)} is no number of characters`);
}

function width(value: unknown): number {
  const count = integer('pad', value);
  if (count > LIMITS.width) throw new TemplateError(`pad: ${count} is wider than ${LIMITS.width}`);
  return count;
}

function listOf(name: string, value: unknown): readonly unknown[] {
  if (Array.isArray(value)) return value;
  if (value === null || value === undefined) return NIL_LIST;
  throw new TemplateError(`${name}: ${typeName(value)} is no list`);
}

/** fmt.Sprint puts a space between two values of which neither is a string. */
function gap(before: unknown, value: unknown, index: number): boolean {
  return index > 0 && typeof before !== 'string' && typeof value !== 'string';
}

/** Of a string in bytes, as in Go. */
function length(value: unknown): number {
  if (typeof value === 'string') return Buffer.byteLength(value);
  if (Array.isArray(value)) return value.length;
  if (value instanceof Map) return value.size;
  if (isStruct(value)) return Object.keys(value).length;
  throw new TemplateError(`len: ${typeName(value)} has no length`);
}

function equal(name: string, a: unknown, b: unknown): boolean {
  const comparable = [a, b].every(
    (value) => value === null || value === undefined || typeof value !== 'object',
  );
  const nil = a === null || a === undefined || b === null || b === undefined;
  if (!comparable || (!nil && typeof a !== typeof b))
    throw new TemplateError(`${name}: ${typeName(a)} and ${typeName(b)} cannot be compared`);
  return (a ?? null) === (b ?? null);
}

function order(name: string, a: unknown, b: unknown): number {
  if (typeof a === 'number' && typeof b === 'number') return a - b;
  if (typeof a === 'string' && typeof b === 'string') return a < b ? -1 : a > b ? 1 : 0;
  throw new TemplateError(`${name}: ${typeName(a)} and ${typeName(b)} have no order`);
}

/** A map without the key gives the zero value of its values: the empty string for labels, nothing for others. */
function indexed(value: unknown, key: unknown): unknown {
  if (value === null || value === undefined) return '';
  if (value instanceof Map) {
    const found = value.get(text('index', key));
    return found ?? ([...value.values()].every((each) => typeof each === 'string') ? '' : found);
  }
  if (isStruct(value)) return Object.hasOwn(value, text('index', key)) ? value[key as string] : undefined;
  if (!Array.isArray(value) && typeof value !== 'string')
    throw new TemplateError(`index: ${typeName(value)} has no elements`);
  const list = typeof value === 'string' ? Buffer.from(value) : value;
  if (!Number.isInteger(key) || (key as number) < 0 || (key as number) >= list.length)
    throw new TemplateError(`index: ${inner(key).slice(0, 40)} is not in 0…${list.length - 1}`);
  return list[key as number];
}

function sliced(value: unknown, from: unknown, to: unknown): unknown {
  if (typeof value !== 'string' && !Array.isArray(value))
    throw new TemplateError(`slice: ${typeName(value)} cannot be sliced`);
  const whole = typeof value === 'string' ? Buffer.from(value) : value;
  const [start, end] = [integer('slice', from), integer('slice', to ?? whole.length)];
  if (start > end || end > whole.length)
    throw new TemplateError(`slice: ${start}:${end} is not in 0:${whole.length}`);
  const part = whole.slice(start, end);
  return Buffer.isBuffer(part) ? part.toString() : part;
}
