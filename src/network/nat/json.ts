/** Commands to nft as libnftables-json(5) has them. Only what the table is made of. */

export const FAMILY = 'inet';
export const TABLE = 'tsbox';

export type Json = string | number | null | Json[] | { [name: string]: Json };
/** `{ add: … }`, `{ delete: … }`, `{ flush: … }`. */
export type Command = { [verb: string]: Json };

const IN_TABLE = { family: FAMILY, table: TABLE };

export const table = (): Json => ({ table: { family: FAMILY, name: TABLE } });

export const set = (name: string, type: Json): Json => ({ set: { ...IN_TABLE, name, type } });

/** A map from what `type` says to where to go on. */
export const verdictMap = (name: string, type: Json): Json => ({
  map: { ...IN_TABLE, name, type, map: 'verdict' },
});

export const chain = (name: string, base: { [name: string]: Json } = {}): Json => ({
  chain: { ...IN_TABLE, name, ...base },
});

export const rule = (chain: string, expr: Json[], comment?: string): Json => ({
  rule: { ...IN_TABLE, chain, expr, ...(comment !== undefined && { comment }) },
});

export const elements = (name: string, elem: Json[]): Json => ({ element: { ...IN_TABLE, name, elem } });

export const concat = (...parts: Json[]): Json => ({ concat: parts });
export const meta = (key: string): Json => ({ meta: { key } });
export const field = (protocol: string, field: string): Json => ({ payload: { protocol, field } });
export const ct = (key: string): Json => ({ ct: { key } });
export const goTo = (target: string): Json => ({ goto: { target } });
export const subnet = (addr: string, len: number): Json => ({ prefix: { addr, len } });

/** `in` asks whether one of the bits is set, `==` for the very value. */
export const match = (left: Json, right: Json, op: '==' | '!=' | 'in' = '=='): Json => ({
  match: { op, left, right },
});

export const ACCEPT: Json = { accept: null };
export const DROP: Json = { drop: null };
export const MASQUERADE: Json = { masquerade: null };
