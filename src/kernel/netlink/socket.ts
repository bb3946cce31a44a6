import { O } from '../constants.ts';
import { KernelError, TsboxError } from '../error.ts';
import { fields } from '../fields.ts';
import { closeDescriptor } from '../files.ts';
import { syscall } from '../syscall.ts';
import { joinAligned } from './attributes.ts';
import { NETLINK_ROUTE, NLM_F, NLMSG } from './constants.ts';
import { interfaceIndex, interfaceState } from './interface.ts';
import {
  decodeMessages,
  decodeVerdict,
  encodeRequest,
  type Reply,
  type Request,
  type Verdict,
} from './message.ts';

/**
 * A netlink socket, netlink(7). It belongs to the network namespace in which it was opened, for good.
 *
 * Everything is done in the calling thread before a method returns: the kernel carries out a request inside sendto(2), so its answers are there
 * when that returns, and nothing else of this thread can happen in between.
 */
export class NetlinkSocket {
  readonly #fd: number;
  #sequence = 0;

  /** @throws {KernelError} */
  static open(protocol = NETLINK_ROUTE): NetlinkSocket {
    const context = { doing: 'open a netlink socket' };
    const fd = syscall('socket', [AF_NETLINK, SOCK_RAW | O.O_CLOEXEC, protocol], context);
    // Words with an error (4.12), and not the whole request once more. Strict checks (4.20): a filter that the kernel does not know is refused, not ignored.
    for (const option of [NETLINK_EXT_ACK, NETLINK_CAP_ACK, NETLINK_GET_STRICT_CHK])
      syscall('setsockopt', [fd, SOL_NETLINK, option, ONE, ONE.length], context);
    return new NetlinkSocket(fd);
  }

  private constructor(fd: number) {
    this.#fd = fd;
  }

  /**
   * Several requests with one send, each acknowledged. The kernel carries them out in their order, and goes on after one that it refuses.
   *
   * @param trying for the message: "attach the container to tsbox0"
   * @throws {KernelError} for the first that failed with an errno that it does not allow; `syscall` is its type's name
   */
  batch(requests: readonly Request[], trying: string): void {
    for (let at = 0; at < requests.length; at += AT_ONCE) {
      const some = requests.slice(at, at + AT_ONCE);
      const first = this.#send(some, NLM_F.NLM_F_ACK, trying);
      let failed: { request: Request; verdict: Verdict } | undefined;
      for (let answered = 0; answered < some.length; ) {
        for (const reply of this.#receive(first, trying)) {
          if (reply.type !== NLMSG.NLMSG_ERROR) continue;
          answered++;
          const request = some[reply.sequence - first] as Request;
          const verdict = decodeVerdict(reply, 'error');
          if (!isFine(request, verdict)) failed ??= { request, verdict };
        }
      }
      if (failed !== undefined) throw errorOf(failed.request, failed.verdict, trying);
    }
  }

  /** The answer to one request. Undefined where the errno is one that it allows. @throws {KernelError} */
  get(request: Request, trying: string): Reply | undefined {
    const first = this.#send([request], 0, trying);
    const reply = this.#receive(first, trying)[0] as Reply;
    if (reply.type !== NLMSG.NLMSG_ERROR) return reply;
    const verdict = decodeVerdict(reply, 'error');
    if (isFine(request, verdict)) return undefined;
    throw errorOf(request, verdict, trying);
  }

  /** All there is of a kind, as it was at one moment. @throws {KernelError} */
  dump(request: Request, trying: string): Reply[] {
    for (let attempt = 0; ; attempt++) {
      const { replies, interrupted } = this.#dumpOnce(request, trying);
      // Something was made or removed while the kernel counted: entries may be lacking (NLM_F_DUMP_INTR). After so many times one with lacks must do.
      if (!interrupted || attempt === 20) return replies;
    }
  }

  /** The number of an interface, sooner than `get` could say. Undefined where there is none of that name. */
  indexOf(name: string): number | undefined {
    return interfaceIndex(this.#fd, name);
  }

  /** Whether an interface is up, and whether it takes packets. One that is not there is and does neither. */
  stateOf(name: string): { up: boolean; running: boolean } {
    return interfaceState(this.#fd, name);
  }

  close(): void {
    closeDescriptor(this.#fd);
  }

  #dumpOnce(request: Request, trying: string): { replies: Reply[]; interrupted: boolean } {
    const first = this.#send([request], NLM_F.NLM_F_DUMP, trying);
    const replies: Reply[] = [];
    let interrupted = false;
    for (;;) {
      for (const reply of this.#receive(first, trying)) {
        interrupted ||= (reply.flags & NLM_F.NLM_F_DUMP_INTR) !== 0;
        const kind = reply.type === NLMSG.NLMSG_DONE ? 'done' : reply.type === NLMSG.NLMSG_ERROR && 'error';
        if (!kind) {
          replies.push(reply);
          continue;
        }
        const verdict = decodeVerdict(reply, kind);
        if (isFine(request, verdict)) return { replies, interrupted };
        throw errorOf(request, verdict, trying);
      }
    }
  }

  /** @returns the sequence number of the first */
  #send(requests: readonly Request[], flags: number, doing: string): number {
    const first = this.#sequence + 1;
    const messages = requests.map((request) => encodeRequest(request, flags, ++this.#sequence));
    const bytes = joinAligned(messages);
    syscall('sendto', [this.#fd, bytes, bytes.length, 0, KERNEL, KERNEL.length], { doing });
    return first;
  }

  /** A datagram of the kernel's: at least one message, each an answer to the last send, whose first sequence number is given. */
  #receive(first: number, doing: string): Reply[] {
    buffer ??= new Uint8Array(65536);
    const sender = new Uint8Array(KERNEL.length);
    for (;;) {
      const length = Uint8Array.of(sender.length, 0, 0, 0);
      const args = [this.#fd, buffer, buffer.length, MSG_TRUNC, sender, length];
      const received = syscall('recvfrom', args, { doing });
      // A process in the namespace, such as a container's, can send to this socket too. The kernel's port is 0.
      if (fields(sender).getUint32(NL_PID, true) !== 0) continue;
      if (received > buffer.length)
        throw new TsboxError('BAD_NETLINK', `${doing}: netlink: an answer of ${received} bytes`);
      // What an earlier send left, when it failed on the way, is no answer to this one.
      const replies = decodeMessages(buffer.slice(0, received)).filter(
        ({ sequence }) => sequence >= first && sequence <= this.#sequence,
      );
      if (replies.length > 0) return replies;
    }
  }
}

function isFine(request: Request, { errno }: Verdict): boolean {
  return errno === 0 || request.allow?.includes(errno) === true;
}

function errorOf(request: Request, { errno, said }: Verdict, doing: string): KernelError {
  return new KernelError(request.type, errno, { doing, ...(said !== undefined && { said }) });
}

/** So many answers fit into a socket's buffer of any size that a kernel gives (ENOBUFS). */
const AT_ONCE = 64;
const AF_NETLINK = 16;
const SOCK_RAW = 3;
const SOL_NETLINK = 270;
const NETLINK_CAP_ACK = 10;
const NETLINK_EXT_ACK = 11;
const NETLINK_GET_STRICT_CHK = 12;
const ONE = Uint8Array.of(1, 0, 0, 0);
const MSG_TRUNC = 0x20;
/** struct sockaddr_nl: family 2, padding 2, port 4, groups 4. All zeros but the family is the kernel. */
const KERNEL = Uint8Array.of(AF_NETLINK, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0);
const NL_PID = 4;
let buffer: Uint8Array | undefined;
