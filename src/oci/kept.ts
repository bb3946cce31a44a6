import { existsSync, unlinkSync } from 'node:fs';
import { join } from 'node:path';
import { storeRoot } from '../kernel/store-root.ts';
import { noteSeen, readKept, writeKept } from '../runtime/kept-file.ts';
import { type Likeness, type Places, placesOf, withNames } from './likeness.ts';

/** All that a container was made with. */
export interface Creation {
  /** What follows from its configuration, as JSON. */
  made: string;
  /** What the host was asked, and what it said: as long as it says the same. No names in it. */
  host: string;
  /** As laid out, before it is carried out. */
  plan: Buffer;
  /** The configuration as it was checked. */
  json: string;
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
  const { plan, json, ...rest } = creation;
  const header: Header = {
    names,
    proven: names.map(() => false),
    places: placesOf(plan.toString('latin1'), names),
    jsonPlaces: placesOf(json, names),
    ...rest,
  };
  write(file, { ...header, json, key, arena: plan });
}

/** Replaces the names and looks whether that is what was made. */
function prove(file: string, kept: Kept, names: readonly string[], creation: Creation): void {
  if (kept.wrong) return;
  const arena = Buffer.from(kept.arena);
  const now = renamed(kept, names);
  // In a plan there is only room for names of the same length.
  if (now === undefined) return;
  const right =
    now.made === creation.made &&
    now.plan.equals(creation.plan) &&
    now.json === creation.json &&
    now.slot === creation.slot &&
    now.outcomeLength === creation.outcomeLength;
  const proven = kept.proven.map((proven, at) => right && (proven || names[at] !== kept.names[at]));
  write(file, { ...kept, arena, proven, ...(!right && { wrong: true }) });
}

interface Header {
  names: readonly string[];
  /** Which of them have been replaced with the right result. */
  proven: boolean[];
  /** Replacing them has given something else once: it is never believed. */
  wrong?: true;
  /** Where they are in the plan, and in the configuration. */
  places: Places;
  jsonPlaces: Places;
  made: string;
  host: string;
  slot: number;
  outcomeLength: number;
}

interface Kept extends Header {
  json: string;
  key: string;
  arena: Buffer;
}

/** Changes the kept one's memory. */
function renamed(kept: Kept, names: readonly string[]): Creation | undefined {
  const { arena: plan, places, made, host, slot, outcomeLength } = kept;
  for (const [at, name] of places) {
    const text = names[name] as string;
    if (text.length !== kept.names[name]?.length) return undefined;
    plan.write(text, at, 'latin1');
  }
  return {
    ...{ made: withNames(made, kept.names, names), json: renamedJson(kept, names) },
    ...{ host, plan, slot, outcomeLength },
  };
}

function renamedJson({ json, jsonPlaces, names: old }: Kept, names: readonly string[]): string {
  let text = '';
  let end = 0;
  for (const [at, name] of jsonPlaces) {
    text += json.slice(end, at) + names[name];
    end = at + (old[name] as string).length;
  }
  return text + json.slice(end);
}

/** Undefined where the sum is that of another key. */
function read(sum: string, key: string): Kept | undefined {
  const kept = readKept(fileOf(sum));
  if (kept === undefined) return undefined;
  const { text, arena } = kept;
  try {
    // Neither header nor configuration have a line end of their own, being what JSON.stringify writes. The key may.
    const header = text.indexOf('\n');
    const json = text.indexOf('\n', header + 1);
    if (text.length - json - 1 !== key.length || !text.endsWith(key)) return undefined;
    return {
      ...(JSON.parse(text.slice(0, header)) as Header),
      json: text.slice(header + 1, json),
      key,
      arena,
    };
  } catch {
    return undefined;
  }
}

function write(file: string, { json, key, arena, ...header }: Kept): void {
  writeKept(file, { id: NOBODY, text: `${JSON.stringify(header)}\n${json}\n${key}`, arena });
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
  return join(storeRoot(), 'cache', 'oci-plans', sum);
}

const NOBODY = '0'.repeat(64);
