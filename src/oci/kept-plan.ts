import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { sumOf } from '../kernel/sum.ts';
import { Arena, layOut, Slot, type Step } from '../launch/index.ts';
import { hostFacts, type PlanInput, planContainer } from '../runtime/index.ts';
import { noteSeen, readKept, writeKept } from '../runtime/kept-file.ts';

/** A plan in memory, and what has become of it once its first bytes have been read back. */
export interface LaidOut {
  readonly bytes: Buffer;
  /** How many bytes, from the first one on, tell what has become of it. */
  readonly outcomeLength: number;
  /** Of the container; not above 0 where there is none. */
  pid(): number;
  failure(): { step: Step; errno: number } | undefined;
}

/**
 * The plan of a container, from disk where one like it was made often enough.
 *
 * An engine gives each container of a kind the same configuration but for the names that it makes up, in paths, the cgroup and the host name: long
 * runs of hexadecimal digits. What else a plan depends on is the key of a kept one, which is compared whole: all of the input, what the host was asked, this
 * build of tsbox. The names are put where the old ones were. But nothing is believed: a name is replaced only once replacing it has given, byte for
 * byte, the plan that was made for another container. So the first container is noted, the second one's plan kept, the third one's compared, and the
 * fourth need not be planned.
 *
 * @param base where the plan is mapped by who carries it out
 * @param build which tsbox this is; undefined: nothing is kept
 */
export function layOutAgain(
  input: PlanInput,
  base: number,
  build: string | undefined = thisBuild(),
): LaidOut {
  const found = build === undefined ? undefined : keyOf(input, build);
  if (found === undefined) return planned(input, base);
  const { key, names } = found;
  const file = join(directory(), sumOf(Buffer.from(key)));
  const kept = readPlan(file, key);
  if (kept === undefined) {
    const plan = planned(input, base);
    attempt(() => keep(file, { key, names, proven: names.map(() => false) }, plan));
    return plan;
  }
  const differ = names.map((name, at) => name !== kept.header.names[at]);
  if (differ.every((differs, at) => !differs || kept.header.proven[at]))
    return filled(kept, names, input, base);
  const plan = planned(input, base);
  attempt(() => prove(file, kept, names, plan));
  return plan;
}

interface Header {
  key: string;
  /** Those that are in the plan. */
  names: string[];
  /** Which of them have been replaced with the right result. */
  proven: boolean[];
  /** Replacing them has given something else once: it is never believed. */
  wrong?: true;
  /** Where they are: offset, and which. */
  places: [at: number, name: number][];
  slot: number;
  outcomeLength: number;
}

interface Kept {
  header: Header;
  arena: Buffer;
}

interface Planned extends LaidOut {
  readonly slot: number;
}

function planned(input: PlanInput, base: number): Planned {
  const plan = planContainer(input);
  const arena = layOut(plan, { base });
  return {
    bytes: arena.bytes,
    outcomeLength: arena.outcomeLength,
    slot: arena.slotIndex(plan.pid),
    pid: () => arena.slot(plan.pid),
    failure: () => arena.failure(),
  };
}

function filled(
  { header, arena: bytes }: Kept,
  names: readonly string[],
  input: PlanInput,
  base: number,
): LaidOut {
  fill(bytes, header, names);
  const pid = new Slot('pid');
  const arena = new Arena(bytes, [], new Map([[pid, header.slot]]));
  return {
    bytes,
    outcomeLength: header.outcomeLength,
    pid: () => arena.slot(pid),
    failure() {
      if (arena.failedAt < 0) return undefined;
      // Which step that is, only the plan itself knows.
      const plan = planned(input, base);
      plan.bytes.set(bytes.subarray(0, plan.outcomeLength));
      return plan.failure();
    },
  };
}

function fill(bytes: Buffer, { places }: Header, names: readonly string[]): void {
  for (const [at, name] of places) bytes.write(names[name] as string, at, 'latin1');
}

/** Undefined for a plan with more to it: what is copied into it, or a filter that somebody else listens to. */
function keyOf(input: PlanInput, build: string): { key: string; names: string[] } | undefined {
  const { spec, seccomp, cgroup, copies, ...rest } = input;
  if ((copies !== undefined && copies.size > 0) || seccomp?.listener !== undefined) return undefined;
  // In these nothing is a name, whatever it looks like. The profile is in the filter, and may have numbers that JSON does not.
  const fixed = [
    build,
    process.arch,
    seccomp && [text(seccomp.filter), seccomp.flags],
    cgroup?.deviceProgram && text(cgroup.deviceProgram),
    hostFacts(input),
  ];
  const named = [
    rest,
    { ...spec, annotations: undefined, linux: { ...spec.linux, seccomp: undefined } },
    cgroup && { ...cgroup, deviceProgram: undefined },
  ];
  try {
    const { key, names } = withoutNames(JSON.stringify(named));
    return { key: `${JSON.stringify(fixed)} ${key}`, names };
  } catch {
    return undefined;
  }
}

function text(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('base64');
}

/** Equal names have equal numbers. What has no letter in it may be a number. */
function withoutNames(whole: string): { key: string; names: string[] } {
  const names: string[] = [];
  const key = whole.replace(NAME, (name) => {
    if (!/[a-f]/.test(name)) return name;
    const known = names.indexOf(name);
    // JSON has no NUL.
    return `\0${known >= 0 ? known : names.push(name) - 1}:${name.length}\0`;
  });
  return { key, names };
}

/** An id is 64 of them, and the shortest form of one 12. No word of a configuration is made of so many. */
const NAME = /[0-9a-f]{12,}/g;

function readPlan(file: string, key: string): Kept | undefined {
  const kept = readKept(file);
  if (kept === undefined) return undefined;
  try {
    const header = JSON.parse(kept.text) as Header;
    return header.key === key ? { header, arena: kept.arena } : undefined;
  } catch {
    return undefined;
  }
}

/** The first time that is only noted, since most are never seen again. */
function keep(file: string, header: Pick<Header, 'key' | 'names' | 'proven'>, plan: Planned): void {
  if (!existsSync(file)) {
    noteSeen(file);
    return;
  }
  const places: Header['places'] = [];
  for (const { 0: name, index } of plan.bytes.toString('latin1').matchAll(NAME)) {
    const known = header.names.indexOf(name);
    if (known >= 0) places.push([index, known]);
  }
  const { slot, outcomeLength } = plan;
  write(file, { ...header, places, slot, outcomeLength }, plan.bytes);
}

/** Replaces the names and looks whether that is the plan. */
function prove(file: string, { header, arena }: Kept, names: readonly string[], plan: Planned): void {
  if (header.wrong) return;
  const before = Buffer.from(arena);
  fill(arena, header, names);
  if (!arena.equals(plan.bytes)) {
    write(file, { ...header, proven: header.proven.map(() => false), wrong: true }, before);
    return;
  }
  // Not yet proven is one of those that differ, or nothing would have been compared.
  const proven = header.proven.map((proven, at) => proven || names[at] !== header.names[at]);
  write(file, { ...header, proven }, before);
}

function write(file: string, header: Header, arena: Buffer): void {
  writeKept(file, { id: NOBODY, text: JSON.stringify(header), arena });
}

const NOBODY = '0'.repeat(64);

/** A disk that is full or read-only makes the next one slower, no more. */
function attempt(what: () => void): void {
  try {
    what();
  } catch {
    // As good as none.
  }
}

function directory(): string {
  return join(process.env.TSBOX_ROOT || '/var/lib/tsbox', 'cache', 'oci-plans');
}

/** The digest of the bundle, which src/start/tsbox.cjs leaves. */
function thisBuild(): string | undefined {
  if (process.env.TSBOX_KEEP_PLANS === '0') return undefined;
  return (globalThis as Record<symbol, unknown>)[Symbol.for('tsbox.build')] as string | undefined;
}
