import { didYouMean } from '../../index.ts';
import { safe } from '../safe.ts';
import { ARGUMENTS, FUNCTIONS } from './functions.ts';
import { LIMITS, TemplateError } from './limits.ts';
import { type Node, type Operand, type Pipe, parse } from './parse.ts';
import { entries, isStruct, isTrue, printed, typed, typeName } from './values.ts';

/** Fills the template with a value. @throws {TemplateError} where the value has not what the template asks for */
export type Template = (data: unknown) => string;

/**
 * @param functions take the place of those with the same name: for the headings of a table
 * @throws {TemplateError}
 */
export function compileTemplate(template: string, functions: Partial<typeof FUNCTIONS> = {}): Template {
  const nodes = parse(template, knownFunction);
  const all = Object.assign(Object.create(null), FUNCTIONS, functions) as typeof FUNCTIONS;
  return (data) => new Evaluator(data, all).run(nodes);
}

function knownFunction(name: string): string {
  if (name in FUNCTIONS || name === 'and' || name === 'or') return name;
  throw new TemplateError(
    `there is no function ${name.slice(0, 40)}${didYouMean(name, [...Object.keys(FUNCTIONS), 'and', 'or'])}`,
  );
}

const NO_FUNCTION = 'after | comes a function';

type Fields = Extract<Operand, { kind: 'fields' }>;

interface Variable {
  name: string;
  value: unknown;
}

class Evaluator {
  readonly #functions: typeof FUNCTIONS;
  readonly #variables: Variable[];
  readonly #root: unknown;
  #output: string[] = [];
  #length = 0;
  #steps = 0;

  constructor(data: unknown, functions: typeof FUNCTIONS) {
    this.#functions = functions;
    this.#root = data;
    this.#variables = [{ name: '$', value: data }];
  }

  run(nodes: readonly Node[]): string {
    this.#walk(nodes, this.#root);
    return this.#output.join('');
  }

  #walk(nodes: readonly Node[], dot: unknown): void {
    for (const node of nodes) {
      this.#count();
      if (node.kind === 'text') this.#write(node.text);
      else if (node.kind === 'print') this.#print(node, dot);
      else this.#scoped(() => this.#block(node, dot));
    }
  }

  #print({ pipe, source }: Extract<Node, { kind: 'print' }>, dot: unknown): void {
    const value = this.#pipe(pipe, dot);
    if (pipe.variables.length > 0) return;
    // A tab of the template's own is wanted; one of the data's would be taken for the next column.
    const text = printed(value);
    this.#write(/\t|\\t/.test(source) ? text.split('\t').map(safe).join('\t') : safe(text));
  }

  #block({ kind, pipe, body, otherwise }: Exclude<Node, { kind: 'text' | 'print' }>, dot: unknown): void {
    if (kind === 'range') {
      this.#range(pipe, body, otherwise, dot);
      return;
    }
    const value = this.#pipe(pipe, dot);
    const isBody = isTrue(value);
    this.#walk(isBody ? body : otherwise, kind === 'with' && isBody ? value : dot);
  }

  #range(pipe: Pipe, body: readonly Node[], otherwise: readonly Node[], dot: unknown): void {
    const value = this.#pipe({ ...pipe, variables: [] }, dot);
    const items = itemsOf(value);
    if (items.length === 0) this.#walk(otherwise, dot);
    const [first, second] = pipe.variables;
    for (const [key, item] of items) {
      this.#count();
      this.#scoped(() => {
        if (second !== undefined) this.#set(first as string, key, pipe.declares);
        if (first !== undefined) this.#set(second ?? first, item, pipe.declares);
        this.#walk(body, item);
      });
    }
  }

  /** Variables end with the block that declared them. */
  #scoped(work: () => void): void {
    const count = this.#variables.length;
    work();
    this.#variables.length = count;
  }

  #pipe(pipe: Pipe, dot: unknown): unknown {
    let last: unknown[] = [];
    for (const command of pipe.commands) last = [this.#command(command, last, dot)];
    for (const name of pipe.variables) this.#set(name, last[0], pipe.declares);
    return last[0];
  }

  #command([first, ...rest]: readonly Operand[], last: unknown[], dot: unknown): unknown {
    this.#count();
    const operand = first as Operand;
    if (operand.kind === 'fields') {
      const args = [...rest.map((each) => this.#value(each, dot)), ...last];
      return this.#fields(operand, dot, args, last.length > 0);
    }
    if (operand.kind !== 'function') {
      if (last.length > 0) throw new TemplateError(NO_FUNCTION);
      return this.#value(operand, dot);
    }
    const { name } = operand;
    if (name === 'and' || name === 'or') return this.#decide(name, rest, last, dot);
    const args = [...rest.map((each) => this.#value(each, dot)), ...last];
    const [least, most] = ARGUMENTS[name] ?? [0, Number.POSITIVE_INFINITY];
    if (args.length < least || args.length > most)
      throw new TemplateError(
        `${name} takes ${least === most ? least : `${least} or more`} values, not ${args.length}`,
      );
    return this.#functions[name]?.(...args);
  }

  /** The first that decides, or the last; what comes after it is not evaluated. */
  #decide(name: 'and' | 'or', operands: readonly Operand[], last: unknown[], dot: unknown): unknown {
    let value: unknown;
    if (operands.length + last.length === 0) throw new TemplateError(`${name} takes 1 or more values, not 0`);
    for (const operand of operands) {
      value = this.#value(operand, dot);
      if (isTrue(value) === (name === 'or')) return value;
    }
    return last.length > 0 ? last[0] : value;
  }

  #value(operand: Operand, dot: unknown): unknown {
    this.#count();
    switch (operand.kind) {
      case 'dot':
        return dot;
      case 'constant':
        return operand.value;
      case 'variable':
        return this.#variable(operand.name).value;
      case 'function':
        return this.#command([operand], [], dot);
      case 'pipe':
        return this.#pipe(operand.pipe, dot);
      case 'fields':
        return this.#fields(operand, dot, [], false);
    }
  }

  /** A field that is a function, such as `.Label`, is called: there and then, as in Go. */
  #fields(operand: Fields, dot: unknown, args: unknown[], isPiped: boolean): unknown {
    const value = operand.names.reduce(
      (value, name, index) => field(value, name, operand.names.slice(0, index + 1)),
      this.#value(operand.base, dot),
    );
    if (typeof value !== 'function') {
      if (isPiped) throw new TemplateError(NO_FUNCTION);
      if (args.length > 0) throw new TemplateError('only a function takes arguments');
      return value;
    }
    const name = operand.names.at(-1);
    if (args.length !== value.length)
      throw new TemplateError(`.${name} takes ${value.length} value, not ${args.length}`);
    const wrong = args.find((each) => typeof each !== 'string');
    if (wrong !== undefined) throw new TemplateError(`.${name}: ${typeName(wrong)} is no string`);
    return value(...args);
  }

  #set(name: string, value: unknown, declares: boolean): void {
    if (declares) this.#variables.push({ name, value });
    else this.#variable(name).value = value;
  }

  #variable(name: string): Variable {
    const found = this.#variables.findLast((each) => each.name === name);
    if (found === undefined) throw new TemplateError(`there is no variable ${name.slice(0, 40)}`);
    return found;
  }

  #write(text: string): void {
    this.#length += text.length;
    if (this.#length > LIMITS.output) throw new TemplateError('it would print more than 64 MB');
    this.#output.push(text);
  }

  #count(): void {
    if (++this.#steps > LIMITS.steps) throw new TemplateError('it takes too many steps');
  }
}

function field(value: unknown, name: string, path: readonly string[]): unknown {
  if (value === null || value === undefined) return undefined;
  if (value instanceof Map) return value.get(name);
  if (!isStruct(value))
    throw new TemplateError(`there is no {{.${path.join('.')}}}: a ${typeName(value)} has no fields`);
  if (Object.hasOwn(value, name)) return typed(name, value[name]);
  const known = Object.keys(value);
  const others = known.length > 20 ? [...known.slice(0, 20), '…'] : known;
  const only = known.length === 0 ? '' : `, only ${others.map((each) => `.${each}`).join(' ')}`;
  throw new TemplateError(`there is no {{.${path.join('.')}}}${didYouMean(name, known) || only}`);
}

function itemsOf(value: unknown): [unknown, unknown][] {
  if (value === null || value === undefined) return [];
  if (Array.isArray(value)) return value.map((item, index) => [index, item]);
  if (value instanceof Map || isStruct(value)) return entries(value);
  throw new TemplateError(`range: a ${typeName(value)} has no items`);
}
