import { fields } from '../../kernel/index.ts';
import { AUDIT_ARCH } from './architectures.ts';

/**
 * Whether a filter lets a call of this machine's own kind pass, by carrying the filter out as the kernel would (Documentation/networking/filter.rst,
 * linux/seccomp.h). Anything but a plain "allowed" is no: killed, refused, traced or given to a supervisor.
 *
 * @param filter an array of `struct sock_filter`, of the operations that seccomp has
 * @param answered whether a supervisor is there: what it is given passes
 * @param args numbers; what is an address is of no concern to a filter, which cannot follow it
 */
export function passesFilter(
  filter: Uint8Array,
  nr: number,
  args: readonly (number | bigint)[],
  answered = false,
): boolean {
  const data = new DataView(new ArrayBuffer(64));
  data.setUint32(0, nr, true);
  data.setUint32(4, process.arch === 'arm64' ? AUDIT_ARCH.aarch64 : AUDIT_ARCH.x86_64, true);
  for (const [index, argument] of args.entries())
    data.setBigUint64(16 + 8 * index, BigInt.asUintN(64, BigInt(argument)), true);
  const program = fields(filter);
  let accumulator = 0;
  for (let at = 0; at + 8 <= filter.length; at += 8) {
    const code = program.getUint16(at, true);
    const k = program.getUint32(at + 4, true);
    // A jump by a condition: how far, for yes and for no.
    const jump = (yes: boolean) => {
      at += 8 * program.getUint8(at + (yes ? 2 : 3));
    };
    if (code === LOAD) accumulator = data.getUint32(k, true);
    else if (code === AND) accumulator = (accumulator & k) >>> 0;
    else if (code === JUMP) at += 8 * k;
    else if (code === EQUAL) jump(accumulator === k);
    else if (code === GREATER) jump(accumulator > k);
    else if (code === GREATER_OR_EQUAL) jump(accumulator >= k);
    else if (code === ANY_BIT) jump((accumulator & k) !== 0);
    else return code === RETURN && (k === ALLOW || k === LOG || (answered && k === NOTIFY));
  }
  return false;
}

const LOAD = 0x20;
const AND = 0x54;
const JUMP = 0x05;
const EQUAL = 0x15;
const GREATER = 0x25;
const GREATER_OR_EQUAL = 0x35;
const ANY_BIT = 0x45;
const RETURN = 0x06;
const ALLOW = 0x7fff0000;
const LOG = 0x7ffc0000;
const NOTIFY = 0x7fc00000;
