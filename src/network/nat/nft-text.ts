import type { Command, Json } from './json.ts';

interface Fields {
  [name: string]: Json;
}

/** A command as nft(8) takes it, and as `nft list` shows what it has made. Of the JSON that the table is made of, not of all that nft knows. */
export function nftText(command: Command): string {
  const [verb = '', object] = first(command as Fields);
  const [kind, what] = first(object as Fields) as [string, Fields];
  if (kind === 'table') return `${verb} table ${what.family} ${what.name}`;
  const place = `${what.family} ${what.table} ${kind === 'rule' ? what.chain : what.name}`;
  return `${verb} ${kind} ${place}${PARTS[kind]?.(what) ?? ''}`;
}

const PARTS: Record<string, (what: Fields) => string> = {
  set: ({ type }) => ` { type ${types(type)}; }`,
  map: ({ type, map }) => ` { type ${types(type)} : ${map}; }`,
  chain: ({ type, hook, prio, policy }) =>
    hook === undefined ? '' : ` { type ${type} hook ${hook} priority ${prio}; policy ${policy}; }`,
  element: ({ elem }) => ` { ${(elem as Json[]).map(element).join(', ')} }`,
  rule: ({ expr, comment }) =>
    ` ${(expr as Json[]).map(statement).join(' ')}${comment === undefined ? '' : ` comment ${JSON.stringify(comment)}`}`,
};

function types(type: Json | undefined): string {
  return [type].flat().join(' . ');
}

/** Of a set a key, of a map a key and where it leads. */
function element(one: Json): string {
  return Array.isArray(one) ? `${value(one[0] as Json)} : ${statement(one[1] as Json)}` : value(one);
}

function statement(one: Json): string {
  const [kind, what] = first(one as Fields) as [string, Fields];
  if (kind === 'match') return match(what);
  if (kind === 'vmap') return `${value(what.key as Json)} vmap ${what.data}`;
  if (kind === 'dnat') return dnat(what);
  if (kind === 'goto' || kind === 'jump') return `${kind} ${what.target}`;
  return kind;
}

function match({ op, left, right }: Fields): string {
  const what = value(left as Json);
  // Words stand alone; names of interfaces, which begin any other way too, are in quotes.
  const to = Array.isArray(right)
    ? right.join(',')
    : typeof right === 'string'
      ? right
      : value(right as Json);
  return `${what} ${op === '!=' ? '!= ' : ''}${to}`;
}

function dnat({ family, addr, port }: Fields): string {
  const target = family === 'ip6' && port !== undefined ? `[${addr}]` : addr;
  if (port === undefined) return `dnat ${family} to ${target}`;
  return `dnat ${family} to ${target}:${value(port)}`;
}

function value(one: Json): string {
  if (typeof one === 'number') return one > 65535 ? '<port>' : String(one);
  // Of an element: an address, or the name of an interface.
  if (typeof one === 'string') return /^[\da-f.:]*[.:][\da-f.:]*$/i.test(one) ? one : JSON.stringify(one);
  const [kind, what] = first(one as Fields) as [string, Fields & Json[]];
  if (kind === 'concat') return what.map(value).join(' . ');
  if (kind === 'meta') return String(PLAIN.includes(String(what.key)) ? what.key : `meta ${what.key}`);
  if (kind === 'payload') return `${what.protocol} ${what.field}`;
  if (kind === 'ct') return `ct ${what.key}`;
  if (kind === 'fib') return `fib ${(what.flags as Json[]).join(' . ')} ${what.result}`;
  if (kind === 'prefix') return `${what.addr}/${what.len}`;
  if (kind === 'range') return what.join('-');
  if (kind === 'map') return `${value(what.key as Json)} map ${value(what.data as Json)}`;
  if (kind === 'set') return `{ ${what.map((pair) => (pair as Json[]).map(value).join(' : ')).join(', ')} }`;
  return JSON.stringify(one);
}

/** What nft writes without `meta`. */
const PLAIN = ['iifname', 'oifname'];

function first(object: Fields): [name: string, value: Json] {
  return Object.entries(object)[0] as [string, Json];
}
