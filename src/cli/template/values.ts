import { LIMITS, TemplateError } from './limits.ts';

/** A value of Go's that JSON cannot tell apart: a map, whose keys are anybody's and may be missing. */
export type GoMap = Map<string, unknown>;

/** What `null` stands for where the field is known to be a map or a list; they print as empty ones. */
export const NIL_MAP: GoMap = new Map();
export const NIL_LIST: readonly unknown[] = [];

/** Fields of Docker's objects that are maps. All other objects are structs: a field that they do not have is a mistake. */
const MAPS = new Set(
  'Attributes AuxiliaryAddresses Labels Annotations Volumes ExposedPorts Options Opts Sysctls Ports PortBindings Networks Data Tmpfs Storage'.split(
    ' ',
  ),
);
const LISTS = new Set(
  'Cmd Entrypoint Env OnBuild Shell RepoTags RepoDigests Layers Mounts Args Links Aliases Binds CapAdd CapDrop Dns'.split(
    ' ',
  ),
);

/** The value of a field, with what its name says about its type. */
export function typed(name: string, value: unknown): unknown {
  if (MAPS.has(name) && isStruct(value)) return new Map(Object.entries(value));
  if (value === null && MAPS.has(name)) return NIL_MAP;
  if (value === null && LISTS.has(name)) return NIL_LIST;
  return value;
}

export function isStruct(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Map);
}

/** Keys and values of a map or struct, in the order in which Go visits a map. */
export function entries(value: object): [string, unknown][] {
  const all = value instanceof Map ? [...value] : Object.entries(value);
  return all.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)) as [string, unknown][];
}

/** What counts as true: all but false, 0, nil and what is empty. */
export function isTrue(value: unknown): boolean {
  if (value instanceof Map) return value.size > 0;
  if (Array.isArray(value)) return value.length > 0;
  if (isStruct(value)) return Object.keys(value).length > 0;
  return Boolean(value);
}

/** As `fmt.Sprint` writes a value: `[x y]`, `map[a:b]`. */
export function printed(value: unknown): string {
  return value === undefined || value === null ? '<no value>' : inner(value, 0);
}

/** The same where it is part of another, or an argument of printf. */
export function inner(value: unknown, depth = 0): string {
  if (value === undefined || value === null) return '<nil>';
  if (typeof value !== 'object') return typeof value === 'number' ? number(value) : String(value);
  if (depth > LIMITS.depth) throw new TemplateError('the value is nested too deep to be printed');
  if (Array.isArray(value)) return `[${value.map((each) => inner(each, depth + 1)).join(' ')}]`;
  return `map[${entries(value)
    .map(([key, each]) => `${key}:${inner(each, depth + 1)}`)
    .join(' ')}]`;
}

/** Go's %v of a float64: the shortest, with an exponent from 21 digits on, of at least two digits. */
function number(value: number): string {
  return String(value).replace(/e([+-])(\d)$/, 'e$10$2');
}

/** As Docker's `json` writes it: compact, nothing escaped for HTML, the keys of maps sorted. */
export function json(value: unknown): string {
  try {
    const text = JSON.stringify(value ?? null, (_, each) => {
      if (each === NIL_MAP || each === NIL_LIST) return null;
      return each instanceof Map ? Object.fromEntries(entries(each)) : each;
    });
    return text.replace(/[\u2028\u2029]/g, (end) => (end === '\u2028' ? '\\u2028' : '\\u2029'));
  } catch {
    // A RangeError of the stack.
    throw new TemplateError('the value is nested too deep to be printed');
  }
}

/** What Go would call its type, for messages. */
export function typeName(value: unknown): string {
  if (value === undefined || value === null) return 'nil';
  if (Array.isArray(value)) return 'list';
  if (typeof value === 'boolean') return 'bool';
  if (typeof value === 'number') return Number.isInteger(value) ? 'int' : 'float64';
  return typeof value === 'object' ? 'map' : typeof value;
}
