import { Arena, layOut, Slot } from '../../launch/index.ts';
import { type PlanInput, planContainer, type Stdio } from '../../runtime/index.ts';
import { placesOf } from '../plan-template.ts';

/** Where in a laid out plan is what differs from one start to the next. Offsets in bytes. */
export interface Places {
  id: { at: number; length: number }[];
  /** Words that are addresses, from the plan's beginning on. */
  addresses: number[];
  /** Words that are a descriptor, or the number next to it, as of `SAMPLE`. Undefined for one of our own 0, 1 and 2, and for a network that there is not. */
  descriptors: Record<Descriptor, number[] | undefined>;
  /** Of the slots that tell of the program. */
  slots: { pid: number; pidfd: number };
}

const DESCRIPTORS = ['stdin', 'stdout', 'stderr', 'ready', 'reader', 'network'] as const;
type Descriptor = (typeof DESCRIPTORS)[number];

/** Stand for descriptors that are above 2, of which a plan depends on the numbers only by having them in it. */
const SAMPLE = { stdin: 2011, stdout: 3011, stderr: 4011, ready: 5011, reader: 7011, network: 6011 } as const;
/** In a number's decimal digits this would not look so. */
const STEP = 3777;
const HIGHER = 0x1000000;

/**
 * Lays the plan out for keeping. What differs from start to start is found by laying out again with another value: the words that differ by just
 * that difference.
 *
 * @param own which of 0, 1 and 2 are given to the program as they are
 * @param connected whether it waits for a network
 * @returns undefined for a plan with more to it
 */
export function makeTemplate(
  input: Omit<PlanInput, 'stdio' | 'ready'>,
  own: Record<'stdin' | 'stdout' | 'stderr', boolean>,
  connected = false,
): { arena: Buffer; places: Places } | undefined {
  const numbers = {
    stdin: own.stdin ? 0 : SAMPLE.stdin,
    stdout: own.stdout ? 1 : SAMPLE.stdout,
    stderr: own.stderr ? 2 : SAMPLE.stderr,
    ready: SAMPLE.ready as number,
    reader: SAMPLE.reader as number,
    network: SAMPLE.network as number,
  };
  const lay = ({ ready, reader, network, ...stdio }: typeof numbers) => {
    const plan = planContainer({
      ...input,
      stdio,
      ready,
      reader,
      ...(connected && { networkSocket: network }),
    });
    return { plan, arena: layOut(plan, { base: 0 }) };
  };
  const { plan, arena } = lay(numbers);
  if (plan.helper !== undefined || plan.holder !== undefined || plan.pidfd === undefined) return undefined;
  const addresses = wordsThatDiffer(arena.bytes, layOut(plan, { base: HIGHER }).bytes, HIGHER);
  if (addresses === undefined) return undefined;
  const descriptors: Places['descriptors'] = {
    stdin: undefined,
    stdout: undefined,
    stderr: undefined,
    ready: undefined,
    reader: undefined,
    network: undefined,
  };
  for (const name of DESCRIPTORS) {
    if (name === 'network' ? !connected : isStream(name) && own[name]) continue;
    const other = lay({ ...numbers, [name]: numbers[name] + STEP }).arena;
    descriptors[name] = wordsThatDiffer(arena.bytes, other.bytes, STEP);
    if (descriptors[name] === undefined) return undefined;
  }
  const slots = { pid: arena.slotIndex(plan.pid), pidfd: arena.slotIndex(plan.pidfd) };
  return {
    arena: arena.bytes,
    places: { id: placesOf(arena.bytes, input.id), addresses, descriptors, slots },
  };
}

/** Puts in what this start has. Undefined where its descriptors are not of the kind that it was kept for. */
export function fillTemplate(
  bytes: Buffer,
  { id: ids, addresses, descriptors, slots }: Places,
  now: {
    id: string;
    stdio: Stdio;
    ready: number;
    reader: number;
    network?: number | undefined;
    base: number;
  },
): { plan: { pid: Slot; pidfd: Slot; helper: undefined }; arena: Arena } | undefined {
  const { id, base } = now;
  const words = new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.length >>> 2);
  for (const at of addresses) {
    const address = (words[at >>> 2] as number) + base;
    words[at >>> 2] = address;
    words[(at >>> 2) + 1] = address / 2 ** 32;
  }
  const numbers = { ...now.stdio, ready: now.ready, reader: now.reader, network: now.network };
  for (const [own, name] of DESCRIPTORS.entries()) {
    const places = descriptors[name];
    const fd = numbers[name];
    if (!suits(name, fd, places === undefined, own)) return undefined;
    for (const at of places ?? [])
      words[at >>> 2] = (words[at >>> 2] as number) + (fd as number) - SAMPLE[name];
  }
  for (const { at, length } of ids) bytes.write(id, at, length, 'latin1');
  const pid = new Slot('pid');
  const pidfd = new Slot('pidfd');
  const known = new Map([
    [pid, slots.pid],
    [pidfd, slots.pidfd],
  ]);
  return { plan: { pid, pidfd, helper: undefined }, arena: new Arena(bytes, [], known) };
}

/** Whether a descriptor of this start is of the kind that the plan was kept for. */
function suits(name: Descriptor, fd: number | undefined, fixed: boolean, own: number): boolean {
  if (name === 'network') return (fd === undefined) === fixed;
  if (fixed) return fd === own;
  return (fd as number) > (name === 'ready' ? 3 : 2);
}

function isStream(name: Descriptor): name is 'stdin' | 'stdout' | 'stderr' {
  return name.startsWith('std');
}

/** The offsets of the words that are higher by so much; undefined where anything else is different too. */
function wordsThatDiffer(a: Buffer, b: Buffer, by: number): number[] | undefined {
  if (a.length !== b.length) return undefined;
  const found: number[] = [];
  const [first, second] = [new Uint32Array(a.buffer), new Uint32Array(b.buffer)];
  // Not by an iterator: this runs once, before V8 has compiled anything, and most words are equal.
  for (let index = 0; index < first.length; index++) {
    const before = first[index] as number;
    if (second[index] === before) continue;
    if (index % 2 === 1 || second[index] !== before + by || first[index + 1] !== 0) return undefined;
    found.push(4 * index);
  }
  return found;
}
