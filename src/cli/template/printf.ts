import { LIMITS, TemplateError } from './limits.ts';
import { inner, typeName } from './values.ts';

/** Go's `fmt.Sprintf`, without %T, %p and arguments by number. A verb that does not fit says so in the text, as Go's does. */
export function printf(format: string, args: readonly unknown[]): string {
  let next = 0;
  const text = format.replace(
    VERB,
    (_, flags: string, width = '', precision: string | undefined, verb: string) => {
      if (verb === '%') return '%';
      if (verb === '') return '%!(NOVERB)';
      if (next >= args.length) return `%!${verb}(MISSING)`;
      const value = args[next++];
      const written = write(verb, value, flags, precision === undefined ? undefined : bounded(precision));
      return aligned(written ?? `%!${verb}(${typeName(value)}=${inner(value)})`, flags, bounded(width));
    },
  );
  if (next >= args.length) return text;
  const extra = args.slice(next).map((value) => `${typeName(value)}=${inner(value)}`);
  return `${text}%!(EXTRA ${extra.join(', ')})`;
}

const VERB = /%([-+# 0]*)(\d+)?(?:\.(\d*))?([\s\S]|$)/gu;

function bounded(digits: string): number {
  const count = Number(digits);
  if (count > LIMITS.width) throw new TemplateError(`printf: ${digits} is wider than ${LIMITS.width}`);
  return count;
}

/** Undefined where the verb does not fit the value. */
function write(
  verb: string,
  value: unknown,
  flags: string,
  precision: number | undefined,
): string | undefined {
  const plus = flags.includes('+') && typeof value === 'number' && value >= 0 ? '+' : '';
  switch (verb) {
    case 'v':
      return plus + inner(value);
    case 's':
      if (typeof value === 'number' || typeof value === 'boolean' || value === null || value === undefined)
        return undefined;
      return cut(inner(value), precision);
    case 'q':
      return quoted(value, precision);
    case 't':
      return typeof value === 'boolean' ? String(value) : undefined;
    case 'd':
      return Number.isInteger(value) ? `${plus}${value}` : undefined;
    case 'x':
    case 'X':
      return hex(value, verb);
    case 'f':
      return typeof value === 'number' ? plus + value.toFixed(Math.min(precision ?? 6, 100)) : undefined;
    default:
      return undefined;
  }
}

/** Each element of a list. */
function quoted(value: unknown, precision: number | undefined): string | undefined {
  if (typeof value === 'string') return JSON.stringify(cut(value, precision));
  if (!Array.isArray(value) || !value.every((each) => typeof each === 'string')) return undefined;
  return `[${value.map((each) => JSON.stringify(cut(each, precision))).join(' ')}]`;
}

function hex(value: unknown, verb: string): string | undefined {
  if (!Number.isInteger(value) && typeof value !== 'string') return undefined;
  const text =
    typeof value === 'string' ? Buffer.from(value).toString('hex') : (value as number).toString(16);
  return verb === 'X' ? text.toUpperCase() : text;
}

function cut(text: string, length: number | undefined): string {
  return length === undefined ? text : [...text].slice(0, length).join('');
}

function aligned(text: string, flags: string, width: number): string {
  const missing = ' '.repeat(Math.max(0, width - [...text].length));
  if (flags.includes('-')) return text + missing;
  if (!flags.includes('0')) return missing + text;
  const sign = /^[-+]/.exec(text)?.[0] ?? '';
  return sign + missing.replaceAll(' ', '0') + text.slice(sign.length);
}
