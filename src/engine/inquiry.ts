import { AT, closeDescriptor, Errno, fields, native, O, S } from '../kernel/index.ts';
import { type Arena, carryOut, flags, layOut, Slot, type Step } from '../launch/index.ts';
import type { Question } from './asked.ts';
import type { FileStatus } from './host.ts';

/** A question to the host, and what it answered. */
export interface Answered {
  question: Question;
  answer: unknown;
}

/**
 * Questions about files that are asked again and again, all of them by one call of native code. A container depends on thirty of them; one by one, each with
 * Node's own work around the system call, they take a third of a millisecond, and together a tenth of that.
 *
 * What the kernel answers is not interpreted: it is compared with what it answered the first time, byte for byte. So whatever differs in any way is
 * another answer, and has to be asked for properly.
 */
export class Inquiry {
  /** Those of `answered` that it cannot ask, or that have another answer now. */
  readonly left: readonly Answered[];
  readonly #descriptor = new Slot('asked');
  readonly #answers: Buffer;
  readonly #statuses: number[] = [];
  readonly #arena: Arena;
  /** As laid out: with nothing of an earlier time in it. */
  readonly #blank: Buffer;
  readonly #first: { answers: Buffer; outcome: Buffer } | undefined;

  constructor(answered: readonly Answered[]) {
    const parts = answered.map((one) => this.#partFor(one));
    this.#answers = Buffer.alloc(Math.max(8, roomFor(parts)));
    const address = Number(native().address(this.#answers));
    const steps: Step[] = [];
    let at = 0;
    for (const part of parts) {
      if (part === undefined) continue;
      steps.push(...part.steps(address + at));
      part.at = at;
      if (part.status) this.#statuses.push(at);
      at += part.room;
    }
    this.#arena = layOut({ steps });
    this.#blank = Buffer.from(this.#arena.bytes);
    if (this.#ask())
      this.#first = { answers: Buffer.from(this.#answers), outcome: Buffer.from(this.#outcome) };
    this.left = answered.filter((_, index) => {
      const part = parts[index];
      return (
        this.#first === undefined || part === undefined || !part.isSame(this.#answers, part.at, this.#arena)
      );
    });
  }

  /** Whether all but `left` have the answers that they had. */
  answersAlike(): boolean {
    const first = this.#first;
    return (
      first !== undefined &&
      this.#ask() &&
      first.outcome.equals(this.#outcome) &&
      first.answers.equals(this.#answers)
    );
  }

  #ask(): boolean {
    this.#arena.bytes.set(this.#blank);
    this.#answers.fill(0);
    carryOut(this.#arena);
    if (this.#arena.failedAt >= 0) {
      const open = this.#arena.slot(this.#descriptor);
      if (open > 0) closeDescriptor(open);
      return false;
    }
    for (const at of this.#statuses)
      for (const [from, to] of PASSING) this.#answers.fill(0, at + from, at + to);
    return true;
  }

  /** What became of each step, and what it returned. */
  get #outcome(): Buffer {
    return this.#arena.bytes.subarray(0, this.#arena.outcomeLength);
  }

  #partFor({ question: [name, of], answer }: Answered): Part | undefined {
    // The kernel would see only what is before it.
    if (of.includes('\0')) return undefined;
    if (name === 'exists') return existence(of, answer === true);
    if (name === 'status') return fileStatus(of, answer as FileStatus | undefined);
    if (name === 'readText') return content(of, answer as string | undefined, this.#descriptor);
    return undefined;
  }
}

interface Part {
  /** Bytes for its answer. */
  room: number;
  at: number;
  status?: true;
  /** @param address where its answer goes */
  steps(address: number): Step[];
  /** Whether what the kernel says means what was answered. */
  isSame(answers: Buffer, at: number, arena: Arena): boolean;
}

function roomFor(parts: readonly (Part | undefined)[]): number {
  return parts.reduce((sum, part) => sum + (part?.room ?? 0), 0);
}

function existence(path: string, answer: boolean): Part {
  const there = new Slot('there');
  return {
    room: 0,
    at: 0,
    steps: () => [ask('faccessat', [AT.AT_FDCWD, path, 0], there)],
    isSame: (_, __, arena) => (arena.slot(there) === 0) === answer,
  };
}

function fileStatus(path: string, answer: FileStatus | undefined): Part {
  const there = new Slot('there');
  return {
    room: STATX_SIZE,
    at: 0,
    status: true,
    steps: (address) => [ask('statx', [AT.AT_FDCWD, path, 0, STATX_BASIC_STATS, address], there)],
    isSame(answers, at, arena) {
      if (answer === undefined || arena.slot(there) !== 0)
        return answer === undefined && arena.slot(there) !== 0;
      const status = fields(answers);
      const mode = status.getUint16(at + 28, true);
      return (
        TYPES.get(mode & S.S_IFMT) === answer.type &&
        (mode & 0o7777) === answer.mode &&
        status.getUint32(at + 20, true) === answer.uid &&
        status.getUint32(at + 24, true) === answer.gid &&
        status.getUint32(at + 128, true) === answer.major &&
        status.getUint32(at + 132, true) === answer.minor
      );
    },
  };
}

function content(path: string, answer: string | undefined, descriptor: Slot): Part {
  const bytes = Buffer.from(answer ?? '');
  const length = new Slot('length');
  const rest = new Slot('rest');
  return {
    // One more: a file that has grown is not read to its end.
    room: Math.ceil((bytes.length + 1) / 8) * 8,
    at: 0,
    steps: (address) => [
      {
        ...ask('openat', [AT.AT_FDCWD, path, flags(O, 'O_RDONLY', 'O_CLOEXEC'), 0], descriptor),
        skipOnError: 3,
      },
      { ...ask('read', [descriptor, address, bytes.length + 1], length), tolerate: UNREADABLE },
      { ...ask('read', [descriptor, address, bytes.length + 1], rest), tolerate: UNREADABLE },
      // Its number is of no interest, and another one each time: closing it leaves 0 in its place.
      ask('close', [descriptor], descriptor),
    ],
    isSame(answers, at, arena) {
      if (answer === undefined) return arena.slot(length) < 0;
      const whole = arena.slot(length) === bytes.length && arena.slot(rest) === 0;
      return whole && answers.subarray(at, at + bytes.length).equals(bytes);
    },
  };
}

function ask(call: Step['call'], args: Step['args'], save: Slot): Step {
  return { stage: 'Ask', why: 'what the container depends on', call, args, save, tolerate: NOT_THERE };
}

const NOT_THERE = [Errno.ENOENT, Errno.ENOTDIR, Errno.EACCES, Errno.ELOOP];
const UNREADABLE = [Errno.EISDIR, Errno.EINVAL, Errno.EIO, Errno.EPERM];

const STATX_SIZE = 256;
const STATX_BASIC_STATS = 0x7ff;
/** Of struct statx (statx(2)): all but mode, owners and device number, which are what is asked. Times and the like pass. */
const PASSING = [
  [0, 20],
  [30, 128],
  [136, STATX_SIZE],
] as const;

const TYPES = new Map<number, FileStatus['type']>([
  [S.S_IFREG, 'file'],
  [S.S_IFDIR, 'directory'],
  [S.S_IFCHR, 'character'],
  [S.S_IFBLK, 'block'],
  [S.S_IFIFO, 'fifo'],
  [S.S_IFSOCK, 'socket'],
]);
