import { lex, type Piece, shown, type Token } from './lex.ts';
import { LIMITS, TemplateError } from './limits.ts';

export type Node =
  | { kind: 'text'; text: string }
  | { kind: 'print'; pipe: Pipe; source: string }
  | { kind: 'if' | 'with' | 'range'; pipe: Pipe; body: Node[]; otherwise: Node[] };

/** `$a, $b := command | command`: each command gets what the one before it gave as its last argument. */
export interface Pipe {
  variables: string[];
  declares: boolean;
  commands: Operand[][];
}

export type Operand =
  | { kind: 'dot' }
  | { kind: 'constant'; value: unknown }
  | { kind: 'variable'; name: string }
  | { kind: 'function'; name: string }
  | { kind: 'pipe'; pipe: Pipe }
  | { kind: 'fields'; base: Operand; names: string[] };

/**
 * @param functions names that a word may be
 * @throws {TemplateError}
 */
export function parse(template: string, functions: (name: string) => string): Node[] {
  const parser = new Parser(lex(template), functions);
  const { nodes, end } = parser.list(0);
  if (end !== undefined) throw new TemplateError(`${shown(end.source)} ends nothing`);
  return nodes;
}

type Action = Extract<Piece, { tokens: Token[] }>;

class Parser {
  #at = 0;
  readonly #pieces: Piece[];
  readonly #functions: (name: string) => string;

  constructor(pieces: Piece[], functions: (name: string) => string) {
    this.#pieces = pieces;
    this.#functions = functions;
  }

  /** Nodes up to an `else` or `end`, which is returned too, or to the end of the template. */
  list(depth: number): { nodes: Node[]; end?: Action } {
    if (depth > LIMITS.depth) throw new TemplateError(`blocks are nested deeper than ${LIMITS.depth}`);
    const nodes: Node[] = [];
    while (this.#at < this.#pieces.length) {
      const piece = this.#pieces[this.#at++] as Piece;
      if ('text' in piece) {
        nodes.push({ kind: 'text', text: piece.text });
        continue;
      }
      const [first] = piece.tokens as [Token, ...Token[]];
      const word = first.kind === 'word' ? first.text : '';
      if (word === 'end' || word === 'else') return { nodes, end: piece };
      if (isBlock(word)) nodes.push(this.#block(word, piece, 1, depth));
      else if (UNSUPPORTED.has(word)) throw new TemplateError(`{{${word}}} is not supported`);
      else nodes.push({ kind: 'print', pipe: this.#pipe(piece, 0), source: piece.source });
    }
    return { nodes };
  }

  #block(kind: 'if' | 'with' | 'range', action: Action, from: number, depth: number): Node {
    const pipe = this.#pipe(action, from, kind === 'range');
    const { nodes: body, end } = this.list(depth + 1);
    if (end === undefined) throw new TemplateError(`${shown(action.source)} has no {{end}}`);
    return { kind, pipe, body, otherwise: this.#rest(end, action, depth) };
  }

  /** What follows `{{else}}`; nothing after `{{end}}`. */
  #rest(end: Action, opened: Action, depth: number): Node[] {
    const [word, next] = end.tokens;
    if (word?.text === 'end') {
      if (next !== undefined) throw new TemplateError(`${shown(end.source)}: end stands alone`);
      return [];
    }
    // `{{else if X}}` is an `if` in the `else`, with one `end` for both.
    if (next?.kind === 'word' && isBlock(next.text)) return [this.#block(next.text, end, 2, depth + 1)];
    if (next !== undefined) throw new TemplateError(`${shown(end.source)}: else stands alone or before if`);
    const { nodes, end: last } = this.list(depth + 1);
    if (last?.tokens[0]?.text === 'else')
      throw new TemplateError(`${shown(opened.source)} has more than one {{else}}`);
    if (last === undefined) throw new TemplateError(`${shown(opened.source)} has no {{end}}`);
    return nodes;
  }

  #pipe(action: Action, from: number, range = false): Pipe {
    const reader = new PipeReader(action, from, this.#functions);
    const pipe = reader.pipe(0, range);
    reader.expectEnd();
    return pipe;
  }
}

class PipeReader {
  #at: number;
  readonly #action: Action;
  readonly #functions: (name: string) => string;

  constructor(action: Action, from: number, functions: (name: string) => string) {
    this.#action = action;
    this.#at = from;
    this.#functions = functions;
  }

  pipe(depth: number, range = false): Pipe {
    if (depth > LIMITS.depth) throw new TemplateError(`parentheses are nested deeper than ${LIMITS.depth}`);
    const { variables, declares } = this.#declaration(range);
    const commands = [this.#command(depth)];
    while (this.#take('|')) commands.push(this.#command(depth));
    return { variables, declares, commands };
  }

  expectEnd(): void {
    if (this.#token() !== undefined) throw this.#unexpected();
  }

  /** `$x :=`, `$x =` and, after range, `$key, $value :=`. */
  #declaration(range: boolean): { variables: string[]; declares: boolean } {
    const tokens = this.#action.tokens.slice(this.#at, this.#at + 4);
    const count = range && tokens[1]?.text === ',' && tokens[2]?.kind === 'variable' ? 2 : 1;
    const sign = tokens[count === 2 ? 3 : 1]?.text;
    if (tokens[0]?.kind !== 'variable' || (sign !== ':=' && sign !== '=')) {
      return { variables: [], declares: false };
    }
    this.#at += count * 2;
    const variables = [tokens[0], tokens[2]].slice(0, count).map((token) => (token as Token).text);
    return { variables, declares: sign === ':=' };
  }

  #command(depth: number): Operand[] {
    const operands: Operand[] = [];
    for (;;) {
      const token = this.#token();
      if (token === undefined || token.text === '|' || token.text === ')') break;
      if (operands.length > 0 && !token.spaced) throw this.#unexpected();
      operands.push(this.#operand(depth));
    }
    if (operands.length === 0) throw new TemplateError(`${shown(this.#action.source)}: a value is missing`);
    if (operands.length > 1 && !takesArguments(operands[0] as Operand))
      throw new TemplateError(`${shown(this.#action.source)}: only a function takes arguments`);
    return operands;
  }

  #operand(depth: number): Operand {
    const base = this.#base(depth);
    const names: string[] = [];
    for (let next = this.#token(); next?.kind === 'field' && !next.spaced; next = this.#token()) {
      names.push(next.text.slice(1));
      this.#at++;
    }
    if (base.kind === 'fields') return { ...base, names: [...base.names, ...names] };
    if (names.length > 0 && (base.kind === 'function' || base.kind === 'constant')) throw this.#unexpected();
    return names.length === 0 ? base : { kind: 'fields', base, names };
  }

  #base(depth: number): Operand {
    const token = this.#token();
    if (token === undefined) throw this.#unexpected();
    this.#at++;
    switch (token.kind) {
      case 'field':
        return { kind: 'fields', base: { kind: 'dot' }, names: [token.text.slice(1)] };
      case 'variable':
        return { kind: 'variable', name: token.text };
      case 'string':
      case 'number':
        return { kind: 'constant', value: token.value };
      case 'word':
        if (token.text in CONSTANTS) return { kind: 'constant', value: CONSTANTS[token.text] };
        return { kind: 'function', name: this.#functions(token.text) };
    }
    if (token.text === '.') return { kind: 'dot' };
    if (token.text === '(') {
      const pipe = this.pipe(depth + 1);
      if (!this.#take(')')) throw new TemplateError(`${shown(this.#action.source)}: a ) is missing`);
      return { kind: 'pipe', pipe };
    }
    this.#at--;
    throw this.#unexpected();
  }

  #token(): Token | undefined {
    return this.#action.tokens[this.#at];
  }

  #take(symbol: string): boolean {
    const found = this.#token()?.text === symbol && this.#token()?.kind === 'symbol';
    if (found) this.#at++;
    return found;
  }

  #unexpected(): TemplateError {
    const text = this.#token()?.text;
    return new TemplateError(
      `${shown(this.#action.source)}: ${text === undefined ? 'it ends too early' : `\`${shown(text)}\` cannot stand there`}`,
    );
  }
}

/** In the parser: a template that is wrong is wrong without any data. */
function takesArguments(operand: Operand): boolean {
  return (
    operand.kind === 'function' || (operand.kind === 'fields' && METHODS.has(operand.names.at(-1) ?? ''))
  );
}

function isBlock(word: string): word is 'if' | 'with' | 'range' {
  return word === 'if' || word === 'with' || word === 'range';
}

const CONSTANTS: Record<string, unknown> = Object.assign(Object.create(null), {
  true: true,
  false: false,
  nil: null,
});
/** Fields of Docker's rows that are asked with a name: `{{.Label "env"}}`. */
const METHODS = new Set(['Label']);
const UNSUPPORTED = new Set(['define', 'template', 'block', 'break', 'continue']);
