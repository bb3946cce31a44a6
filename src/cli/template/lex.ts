import { LIMITS, TemplateError } from './limits.ts';

/** A word inside `{{ }}`. `spaced` is whether white space stands before it: `.A.B` is one value, `.A .B` are two. */
export interface Token {
  kind: 'field' | 'variable' | 'word' | 'string' | 'number' | 'symbol';
  text: string;
  /** Of a string or number. */
  value?: string | number;
  spaced: boolean;
}

/** Text as it stands, or what is between `{{` and `}}`. */
export type Piece = { text: string } | { tokens: Token[]; source: string };

/**
 * Cuts a template into text and actions. Trim markers and comments are gone then; in the text, `\t` and `\n` are what Docker makes of them.
 *
 * @throws {TemplateError}
 */
export function lex(template: string): Piece[] {
  if (template.length > LIMITS.length)
    throw new TemplateError(`the template is longer than ${LIMITS.length} characters`);
  const pieces: Piece[] = [];
  let trim = false;
  for (let at = 0; at < template.length; ) {
    const open = template.indexOf('{{', at);
    const trimsBefore = open >= 0 && /^-\s/.test(template.slice(open + 2, open + 4));
    let text = template.slice(at, open < 0 ? undefined : open);
    if (trim) text = text.trimStart();
    if (trimsBefore) text = text.trimEnd();
    if (text !== '') pieces.push({ text: text.replaceAll('\\t', '\t').replaceAll('\\n', '\n') });
    if (open < 0) break;
    const action = readAction(template, open + 2 + (trimsBefore ? 1 : 0));
    if (action.tokens.length > 0)
      pieces.push({ tokens: action.tokens, source: template.slice(open, action.end) });
    trim = action.trimsAfter;
    at = action.end;
  }
  return pieces;
}

function readAction(template: string, start: number): { tokens: Token[]; end: number; trimsAfter: boolean } {
  const comment = COMMENT.exec(template.slice(start));
  if (comment) {
    return { tokens: [], end: start + comment[0].length, trimsAfter: comment[1] !== undefined };
  }
  const tokens: Token[] = [];
  let at = start;
  for (;;) {
    const space = matchAt(SPACE, template, at);
    at += space.length;
    const close = matchAt(space === '' ? CLOSE : TRIMMING_CLOSE, template, at);
    if (close !== '') {
      if (tokens.length === 0) throw new TemplateError('the action {{}} has nothing in it');
      return { tokens, end: at + close.length, trimsAfter: close.startsWith('-') };
    }
    if (at >= template.length) throw new TemplateError(`\`${shown(template.slice(start - 2))}\` has no }}`);
    const token = readToken(template, at, space !== '');
    tokens.push(token);
    at += token.text.length;
  }
}

function readToken(template: string, at: number, spaced: boolean): Token {
  for (const [kind, pattern] of PATTERNS) {
    const text = matchAt(pattern, template, at);
    if (text === '') continue;
    if (kind === 'string') return { kind, text, spaced, value: unquote(text) };
    if (kind === 'number') return { kind, text, spaced, value: numberOf(text) };
    return { kind, text, spaced };
  }
  throw new TemplateError(`\`${shown(template.slice(at, at + 40))}\` is not understood`);
}

function matchAt(pattern: RegExp, text: string, at: number): string {
  pattern.lastIndex = at;
  return pattern.exec(text)?.[0] ?? '';
}

const SPACE = /\s*/y;
const CLOSE = /\}\}/y;
const TRIMMING_CLOSE = /-?\}\}/y;
const COMMENT = /^\s*\/\*[\s\S]*?\*\/(?:\}\}|\s+(-)\}\})/;
const PATTERNS: [Token['kind'], RegExp][] = [
  ['string', /"(?:[^"\\\n]|\\.)*"|`[^`]*`/y],
  ['number', /[-+]?(?:0[xX][0-9a-fA-F]+|\d+(?:\.\d+)?(?:[eE][-+]?\d+)?|'(?:[^'\\]|\\.[^']*)')/y],
  ['field', /\.[\p{L}_][\p{L}\p{Nd}_]*/uy],
  ['variable', /\$[\p{L}\p{Nd}_]*/uy],
  ['word', /[\p{L}_][\p{L}\p{Nd}_]*/uy],
  ['symbol', /:=|[=|(),.]/y],
];

/** A Go string: with escapes in double quotes, as it stands in backquotes. */
function unquote(text: string): string {
  if (text.startsWith('`')) return text.slice(1, -1);
  return text.slice(1, -1).replace(ESCAPE, (whole, x?: string, u?: string, long?: string) => {
    const hex = x ?? u ?? long;
    if (hex !== undefined) return codePoint(Number.parseInt(hex, 16));
    const plain = SIMPLE_ESCAPES[whole.slice(1)];
    if (plain === undefined) throw new TemplateError(`\`${whole}\` in ${shown(text)} means nothing`);
    return plain;
  });
}

const ESCAPE = /\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|[\s\S])/g;
const SIMPLE_ESCAPES: Record<string, string> = {
  n: '\n',
  t: '\t',
  r: '\r',
  a: '\x07',
  b: '\b',
  f: '\f',
  v: '\v',
  '\\': '\\',
  '"': '"',
  "'": "'",
};

function codePoint(code: number): string {
  if (code > 0x10ffff) throw new TemplateError(`there is no character number ${code}`);
  return String.fromCodePoint(code);
}

/** Go's character constants are numbers. */
function numberOf(text: string): number {
  if (!text.endsWith("'")) return Number(text);
  return unquote(`"${text.slice(1, -1)}"`).codePointAt(0) ?? 0;
}

export function shown(text: string): string {
  return text.length > 60 ? `${text.slice(0, 59)}…` : text;
}
