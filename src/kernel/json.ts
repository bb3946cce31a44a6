import { TsboxError } from './error.ts';

/**
 * Reads JSON, and says in which line and column it ends to be JSON (Node 20's own messages often do not). Whole numbers that a double
 * cannot hold come as bigint, since a mask of 64 bits is one.
 *
 * @throws TsboxError BAD_JSON
 */
export function parseJson(text: string, file: string): unknown {
  if (!/\d{16}/.test(text)) {
    // V8's own parser is a hundred times as fast. What it does not take is looked at below, for the place.
    try {
      const value: unknown = JSON.parse(text);
      if (isShallow(value, MAX_DEPTH)) return value;
    } catch {}
  }
  const wrong = firstError(text);
  if (wrong !== undefined) {
    const before = text.slice(0, wrong.at).split('\n');
    const column = (before.at(-1) ?? '').length + 1;
    throw new TsboxError('BAD_JSON', `${file}:${before.length}:${column}: not JSON: ${wrong.what}`);
  }
  // A string of the file's own can begin with the mark only if the mark is in the text.
  let mark = 'bigint:';
  while (text.includes(mark)) mark = `#${mark}`;
  const marked = text.replace(/"(?:[^"\\]|\\.)*"|-?\d[\d.eE+-]*/g, (token) =>
    /^-?\d{16,}$/.test(token) ? `"${mark}${token}"` : token,
  );
  return JSON.parse(marked, (_key, value) => {
    if (typeof value !== 'string' || !value.startsWith(mark)) return value;
    const exact = BigInt(value.slice(mark.length));
    return Number.isSafeInteger(Number(exact)) ? Number(exact) : exact;
  });
}

function isShallow(value: unknown, levels: number): boolean {
  if (typeof value !== 'object' || value === null) return true;
  if (levels === 0) return false;
  const parts: unknown[] = Array.isArray(value) ? value : Object.values(value);
  return parts.every((part) => isShallow(part, levels - 1));
}

const SPACE = /[ \t\n\r]*/y;
// Cc is every control character, also those from U+007F on, which may stand in a string.
const SCALAR =
  /"(?:[^"\\\p{Cc}]|[\u007f-\u009f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null/uy;
const MAX_DEPTH = 100;

/** Walks the text as RFC 8259 has it, without making anything of it. */
function firstError(text: string): { at: number; what: string } | undefined {
  let at = 0;
  const skip = (pattern: RegExp): string => {
    pattern.lastIndex = at;
    const found = pattern.exec(text)?.[0] ?? '';
    at += found.length;
    return found;
  };
  const found = () =>
    at >= text.length ? 'the end' : JSON.stringify(String.fromCodePoint(text.codePointAt(at) ?? 0));
  const open: string[] = [];
  let expected = 'a value';
  // One turn of the loop a value: everything between two values is punctuation.
  for (;;) {
    skip(SPACE);
    if (expected === 'a name' || expected === 'a name or }') {
      if (text[at] === '}' && expected === 'a name or }') {
        // An empty object is closed below.
      } else {
        if (text[at] !== '"' || skip(SCALAR) === '')
          return { at, what: `expected a name in quotes, found ${found()}` };
        skip(SPACE);
        if (text[at] !== ':') return { at, what: `expected :, found ${found()}` };
        at++;
        skip(SPACE);
        expected = 'a value';
      }
    }
    if (expected === 'a value' || expected === 'a value or ]') {
      const bracket = text[at];
      if (bracket === '{' || bracket === '[') {
        if (open.length === MAX_DEPTH) return { at, what: `more than ${MAX_DEPTH} levels` };
        open.push(bracket);
        at++;
        expected = bracket === '{' ? 'a name or }' : 'a value or ]';
        continue;
      }
      if (!(bracket === ']' && expected === 'a value or ]') && skip(SCALAR) === '')
        return { at, what: `expected a value, found ${found()}` };
    }
    // After a value: close what it ends, or go on after a comma.
    for (;;) {
      skip(SPACE);
      const inside = open.at(-1);
      if (inside === undefined)
        return at < text.length ? { at, what: `expected the end, found ${found()}` } : undefined;
      const close = inside === '{' ? '}' : ']';
      if (text[at] === close) {
        open.pop();
        at++;
        continue;
      }
      if (text[at] !== ',') return { at, what: `expected , or ${close}, found ${found()}` };
      at++;
      expected = inside === '{' ? 'a name' : 'a value';
      break;
    }
  }
}
