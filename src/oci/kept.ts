import { existsSync, unlinkSync } from 'node:fs';
import { join } from 'node:path';
import { noteSeen, readKept, writeKept } from '../runtime/kept-file.ts';
import { type Likeness, placesOf, withNames } from './likeness.ts';

/** All that a container was made with. */
export interface Creation {
  /** What follows from its configuration, as JSON. */
  made: string;
  /** What the host was asked, and what it said: as long as it says the same. No names in it. */
  host: string;
  /** As laid out, before it is carried out. */
  plan: Buffer;
  /** The configuration as it was checked. */
  json: Buffer;
  /** Of the PID, in the plan. */
  slot: number;
  outcomeLength: number;
}

/**
 * What the container was made with that is like this one, with this one's names; undefined where one of them is not believed yet.
 *
 * Nothing is believed: a name is replaced only once replacing it has given, byte for byte, what was made from the configuration of another
 * container. So the first container of a kind is noted, the second one's creation kept, the third one's compared, and for the fourth nothing
 * need be read from its configuration.
 */
export function recallCreation({ key, names, sum }: Likeness): Creation | undefined {
  const kept = read(sum, key);
  if (kept === undefined || !names.every((name, at) => name === kept.names[at] || kept.proven[at]))
    return undefined;
  return renamed(kept, names);
}

/** To be told of each container that was not recalled. A disk that is full or read-only makes the next one slower, no more. */
export function noteCreation(likeness: Likeness, creation: Creation): void {
  try {
    note(likeness, creation);
  } catch {
    // As good as none.
  }
}

function note({ key, names, sum }: Likeness, creation: Creation): void {
  const file = fileOf(sum);
  const kept = read(sum, key);
  // What the host says is no matter of names: from now on that is what it says.
  if (kept === undefined || kept.host !== creation.host) keep(file, key, names, creation);
  else prove(file, kept, names, creation);
}

/** The first time that is only noted, since most are never seen again. */
function keep(file: string, key: string, names: readonly string[], creation: Creation): void {
  if (!existsSync(file)) {
    noteSeen(file);
    return;
  }
  const { made, host, plan, json, slot, outcomeLength } = creation;
  const arena = Buffer.concat([plan, json]);
  const header: Header = {
    names,
    proven: names.map(() => false),
    places: placesOf(arena, names),
    ...{ made, host, slot, outcomeLength, planLength: plan.length },
  };
  write(file, key, header, arena);
}

/** Replaces the names and looks whether that is what was made. */
function prove(file: string, kept: Kept, names: readonly string[], creation: Creation): void {
  const { key, arena, ...header } = kept;
  if (header.wrong) return;
  const before = Buffer.from(arena);
  const { made, plan, json, slot, outcomeLength } = renamed(kept, names);
  const right =
    made === creation.made &&
    plan.equals(creation.plan) &&
    json.equals(creation.json) &&
    slot === creation.slot &&
    outcomeLength === creation.outcomeLength;
  const proven = header.proven.map((proven, at) => right && (proven || names[at] !== header.names[at]));
  write(file, key, { ...header, proven, ...(!right && { wrong: true }) }, before);
}

interface Header {
  names: readonly string[];
  /** Which of them have been replaced with the right result. */
  proven: boolean[];
  /** Replacing them has given something else once: it is never believed. */
  wrong?: true;
  /** Where they are in plan and configuration: offset, and which. */
  places: [at: number, name: number][];
  made: string;
  host: string;
  slot: number;
  outcomeLength: number;
  /** What comes after it is the configuration. */
  planLength: number;
}

interface Kept extends Header {
  key: string;
  arena: Buffer;
}

/** Changes the kept one's memory. */
function renamed(kept: Kept, names: readonly string[]): Creation {
  const { arena, places, made, host, slot, outcomeLength, planLength } = kept;
  for (const [at, name] of places) arena.write(names[name] as string, at, 'latin1');
  const plan = arena.subarray(0, planLength);
  const json = arena.subarray(planLength);
  return { made: withNames(made, kept.names, names), host, plan, json, slot, outcomeLength };
}

/** Undefined where the sum is that of another key. */
function read(sum: string, key: string): Kept | undefined {
  const kept = readKept(fileOf(sum));
  if (kept === undefined) return undefined;
  try {
    const end = kept.text.indexOf('\n');
    if (kept.text.length - end - 1 !== key.length || !kept.text.endsWith(key)) return undefined;
    return { ...(JSON.parse(kept.text.slice(0, end)) as Header), key, arena: kept.arena };
  } catch {
    return undefined;
  }
}

function write(file: string, key: string, header: Header, arena: Buffer): void {
  writeKept(file, { id: NOBODY, text: `${JSON.stringify(header)}\n${key}`, arena });
}

/** It has led to a container that failed: the next one is made from its configuration. */
export function forgetCreation({ sum }: Likeness): void {
  try {
    unlinkSync(fileOf(sum));
  } catch {
    // Somebody else has.
  }
}

function fileOf(sum: string): string {
  return join(process.env.TSBOX_ROOT || '/var/lib/tsbox', 'cache', 'oci-plans', sum);
}

const NOBODY = '0'.repeat(64);
