import type { StoredImage } from '../image/index.ts';
import { hostFacts, pathsOfHostFacts } from '../runtime/index.ts';
import { Asked } from './asked.ts';
import { type Host, thisHost } from './host.ts';
import { networkKind } from './options/index.ts';
import { containersDirectory } from './paths.ts';
import { type Prepared, prepare } from './prepare.ts';
import type { RunOptions } from './run-options.ts';

/**
 * Like `prepare`, for a program that starts many containers that differ in nothing but their ids: the same image, command and options give
 * what they gave before, with the new id, as long as the host gives the same answers to all that was asked of it then.
 *
 * Not remembered is what depends on more than that: on the other containers (user namespaces of their own), on volumes, on a profile's
 * file, on which processors are there.
 *
 * @throws {TsboxError} as `prepare` does
 */
export function prepareAlike(
  image: StoredImage,
  command: readonly string[],
  options: RunOptions,
  id: string,
  host: Host = thisHost,
): Prepared {
  const key = keyOf(command, options);
  if (key === undefined) return prepare(image, command, options, id, host);
  const at = kept.findIndex((kind) => kind.key === key && kind.first.image === image);
  if (at >= 0) {
    const [kind] = kept.splice(at, 1) as [Kind];
    const prepared = kind.prepare(id);
    if (prepared !== undefined) {
      kept.push(kind);
      return prepared;
    }
  }
  const asked = new Asked(host);
  const prepared = prepare(image, command, options, id, asked.host);
  if (!dependsOnMore(prepared, options)) {
    const kind = new Kind(key, prepared, asked);
    Object.assign(prepared, { kind, facts: kind.facts });
    kept.push(kind);
    if (kept.length > MOST) kept.shift();
  }
  return prepared;
}

/** The one that was used last is the last. */
const kept: Kind[] = [];
const MOST = 16;

/** Undefined where JSON has no words for it. A variable that is undefined is one of the host's. */
function keyOf(command: readonly string[], options: RunOptions): string | undefined {
  try {
    return JSON.stringify([containersDirectory(), command, options], (_, value) => value ?? `\0${value}`);
  } catch {
    return undefined;
  }
}

/** Whether it depends on more than the image, the command, the options and what the host was asked. */
export function dependsOnMore({ built, input }: Prepared, options: RunOptions): boolean {
  return (
    options.userns !== undefined ||
    built.spec.linux.uidMappings !== undefined ||
    networkKind(options) === 'container' ||
    built.volumes !== undefined ||
    (built.seccomp.kind !== 'default' && built.seccomp.kind !== 'unconfined') ||
    (input.cgroup?.writes.some(({ file }) => file.startsWith('cpuset.')) ?? false)
  );
}

/** What containers of one kind have in common. */
class Kind {
  readonly key: string;
  readonly first: Prepared;
  readonly facts: string;
  readonly #asked: Asked;
  /** The parts of it that have no id anywhere in them. */
  readonly #common = new WeakSet<object>();

  constructor(key: string, first: Prepared, asked: Asked) {
    this.key = key;
    this.first = first;
    this.#asked = asked;
    // From now on they are among what is asked.
    for (const path of pathsOfHostFacts(first.input.spec)) asked.host.status(path);
    this.facts = JSON.stringify(hostFacts(first.input));
  }

  /** Undefined where the host has changed. */
  prepare(id: string): Prepared | undefined {
    const { image, built: before, input, cgroup } = this.first;
    if (!this.#asked.answersAlike()) return undefined;
    const now = cgroup.again(id);
    if (now === undefined) return undefined;
    const rename = renamer(input.id, id, this.#common);
    const built = rename(before);
    const { spec, cgroup: _, ...rest } = input;
    return {
      kind: this,
      facts: this.facts,
      image,
      built,
      input: { ...rename(rest), spec: built.spec, cgroup: now.plan },
      network: this.first.network,
      cgroup: now,
      makeCgroupParents: now.makeParents,
    };
  }
}

/** An id is in a specification in two forms: all of it, and its beginning, the host name. */
const SHORT = 12;

/** A function that gives a copy with another id; what has no id in it is not copied, and noted in `common`. */
function renamer(from: string, to: string, common: WeakSet<object>): <Value>(value: Value) => Value {
  const short = from.slice(0, SHORT);
  const rename = (value: unknown): unknown => {
    if (typeof value === 'string')
      return value.includes(short) ? value.replaceAll(from, to).replaceAll(short, to.slice(0, SHORT)) : value;
    if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value) || common.has(value))
      return value;
    let copy: Record<string, unknown> | undefined;
    for (const name of Object.keys(value)) {
      const before = (value as Record<string, unknown>)[name];
      const after = rename(before);
      if (after === before) continue;
      copy ??= (Array.isArray(value) ? [...value] : { ...value }) as Record<string, unknown>;
      copy[name] = after;
    }
    if (copy === undefined) common.add(value);
    return copy ?? value;
  };
  return rename as <Value>(value: Value) => Value;
}
