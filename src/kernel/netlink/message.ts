import { TsboxError } from '../error.ts';
import { fields } from '../fields.ts';
import { type Attribute, align, decodeAttributes, encodeAttributes, textOf } from './attributes.ts';
import { IPCTNL_MSG, NFT_MSG, NLM_F, RTM } from './constants.ts';

const TYPES = { ...RTM, ...NFT_MSG, ...IPCTNL_MSG } as const;

/** What the kernel is asked for. */
export interface Request {
  /** Its name is also what an error calls it. */
  type: keyof typeof TYPES;
  /** Of NLM_F, besides those that every request of its kind has. */
  flags?: number;
  /** The struct that the type has before its attributes: `ifinfomsg`, `ifaddrmsg`, `rtmsg`, `nfgenmsg`. */
  header: Uint8Array;
  attributes?: readonly Attribute[];
  /** Errnos that are an answer rather than an error: ENODEV, where it may be gone. */
  allow?: readonly number[];
}

/** A message from the kernel. */
export interface Reply {
  type: number;
  flags: number;
  sequence: number;
  /** Its struct and its attributes. */
  payload: Uint8Array;
}

/** struct nlmsghdr with what follows, netlink(7). The port is 0: the kernel knows the socket. */
export function encodeRequest(request: Request, flags: number, sequence: number): Uint8Array {
  const attributes = encodeAttributes(request.attributes ?? []);
  const start = HEADER + align(request.header.length);
  const bytes = new Uint8Array(start + attributes.length);
  fields(bytes).setUint32(0, bytes.length, true);
  fields(bytes).setUint16(4, TYPES[request.type], true);
  fields(bytes).setUint16(6, NLM_F.NLM_F_REQUEST | flags | (request.flags ?? 0), true);
  fields(bytes).setUint32(8, sequence, true);
  bytes.set(request.header, HEADER);
  bytes.set(attributes, start);
  return bytes;
}

/** The messages of one datagram. They are views of it. @throws {TsboxError} BAD_NETLINK where a length is impossible */
export function decodeMessages(datagram: Uint8Array): Reply[] {
  const replies: Reply[] = [];
  for (let at = 0; at + HEADER <= datagram.length; ) {
    const words = fields(datagram);
    const length = words.getUint32(at, true);
    if (length < HEADER || at + length > datagram.length)
      throw new TsboxError(
        'BAD_NETLINK',
        `netlink: a message of ${length} bytes where ${datagram.length - at} are left`,
      );
    replies.push({
      type: words.getUint16(at + 4, true),
      flags: words.getUint16(at + 6, true),
      sequence: words.getUint32(at + 8, true),
      payload: datagram.subarray(at + HEADER, at + length),
    });
    at += align(length);
  }
  return replies;
}

/** What NLMSG_ERROR and NLMSG_DONE say. */
export interface Verdict {
  /** Positive; 0 for success. */
  errno: number;
  /** The kernel's words, where it has some: "Unknown device type". */
  said: string | undefined;
}

/** struct nlmsgerr, or the lone errno of NLMSG_DONE. @throws {TsboxError} BAD_NETLINK */
export function decodeVerdict(reply: Reply, kind: 'error' | 'done'): Verdict {
  const { payload, flags } = reply;
  // The request's own header follows an error; NETLINK_CAP_ACK leaves out the rest of the request.
  const before = kind === 'error' ? 4 + HEADER : 4;
  if (payload.length < before) {
    if (kind === 'done') return { errno: 0, said: undefined };
    throw new TsboxError('BAD_NETLINK', `netlink: an answer of ${payload.length} bytes`);
  }
  const errno = 0 - fields(payload).getInt32(0, true);
  const hasText = (flags & NLM_F.NLM_F_ACK_TLVS) !== 0;
  return {
    errno,
    said: hasText ? textOf(decodeAttributes(payload, before).get(NLMSGERR_ATTR_MSG)) : undefined,
  };
}

/** struct nlmsghdr: length 4, type 2, flags 2, sequence 4, port 4. */
const HEADER = 16;
const NLMSGERR_ATTR_MSG = 1;
