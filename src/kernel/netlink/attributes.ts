import { TsboxError } from '../error.ts';
import { fields } from '../fields.ts';

/** A netlink attribute: its type (`IFLA_IFNAME`) and what it holds. A number is 32 bits wide, a string ends with a NUL, a list is nested attributes. */
export type Attribute = readonly [type: number, value: AttributeValue];
export type AttributeValue = number | string | Uint8Array | readonly Attribute[];

/**
 * Attributes as the kernel takes them, struct nlattr of linux/netlink.h: length, type, value, each one at a multiple of 4.
 *
 * @throws {RangeError} for a value of more than 65,531 bytes, whose length the 16 bits do not hold
 */
export function encodeAttributes(attributes: readonly Attribute[]): Uint8Array {
  return joinAligned(attributes.map(([type, value]) => encode(type, value)));
}

/** The attributes that begin at `from`, by type; of several of one type the last. The values are views of `bytes`, without their padding. */
export function decodeAttributes(bytes: Uint8Array, from = 0): Map<number, Uint8Array> {
  return new Map(attributeList(bytes, from));
}

/** The same in their order, for lists of attributes of one type. @throws {TsboxError} BAD_NETLINK where a length is impossible */
export function attributeList(bytes: Uint8Array, from = 0): [type: number, value: Uint8Array][] {
  const list: [number, Uint8Array][] = [];
  for (let at = from; at + HEADER <= bytes.length; ) {
    const length = fields(bytes).getUint16(at, true);
    if (length < HEADER || at + length > bytes.length)
      throw new TsboxError(
        'BAD_NETLINK',
        `netlink: an attribute of ${length} bytes where ${bytes.length - at} are left`,
      );
    const type = fields(bytes).getUint16(at + 2, true) & TYPE_MASK;
    list.push([type, bytes.subarray(at + HEADER, at + length)]);
    at += align(length);
  }
  return list;
}

/** A value of 8 bits, which is not the same to the kernel as one of 32. */
export function u8(value: number): Uint8Array {
  return Uint8Array.of(value);
}

export function u16(value: number): Uint8Array {
  return Uint8Array.of(value & 0xff, value >> 8);
}

/** The number in an attribute of 1, 2 or 4 bytes; undefined where there is no such attribute, or it has another length. */
export function numberOf(value: Uint8Array | undefined): number | undefined {
  if (value?.length === 4) return fields(value).getUint32(0, true);
  if (value?.length === 2) return fields(value).getUint16(0, true);
  return value?.length === 1 ? value[0] : undefined;
}

/** The text in an attribute, up to its NUL. */
export function textOf(value: Uint8Array | undefined): string | undefined {
  if (value === undefined) return undefined;
  const end = value.indexOf(0);
  return Buffer.from(end < 0 ? value : value.subarray(0, end)).toString();
}

/** One after the other, each at a multiple of 4: attributes, and messages too. */
export function joinAligned(parts: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + align(part.length), 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += align(part.length);
  }
  return bytes;
}

export function align(length: number): number {
  return (length + 3) & ~3;
}

function encode(type: number, value: AttributeValue): Uint8Array {
  const nested = typeof value === 'object' && !(value instanceof Uint8Array);
  const content = nested ? encodeAttributes(value as readonly Attribute[]) : encodeValue(value as Leaf);
  const length = HEADER + content.length;
  if (length > 0xffff) throw new RangeError(`a netlink attribute of ${content.length} bytes`);
  const bytes = new Uint8Array(length);
  fields(bytes).setUint16(0, length, true);
  fields(bytes).setUint16(2, nested ? type | NLA_F_NESTED : type, true);
  bytes.set(content, HEADER);
  return bytes;
}

type Leaf = number | string | Uint8Array;

function encodeValue(value: Leaf): Uint8Array {
  if (typeof value === 'string') return Buffer.from(`${value}\0`);
  if (typeof value !== 'number') return value;
  const bytes = new Uint8Array(4);
  fields(bytes).setUint32(0, value, true);
  return bytes;
}

/** `nla_len` and `nla_type`. */
const HEADER = 4;
const NLA_F_NESTED = 0x8000;
/** Without NLA_F_NESTED and NLA_F_NET_BYTEORDER. */
const TYPE_MASK = 0x3fff;
