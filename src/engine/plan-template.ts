import { type Arena, layOut, type Step } from '../launch/index.ts';
import { type ContainerPlan, hostFacts, type PlanInput, planContainer } from '../runtime/index.ts';

/** A plan in memory, ready to be carried out once. */
export interface LaidOut {
  plan: ContainerPlan;
  arena: Arena;
  /** To be called when nothing of it is needed any more: its memory may then serve the next container that is made alike. */
  done(): void;
  /** The step, as of this container. Those of memory that was used before name another one's id. */
  step(of: Step): Step;
}

/**
 * The plan of a container, laid out in memory.
 *
 * A program that starts one container often starts many that differ in nothing but their ids, which are all of one length. Planning and
 * laying out anew takes 1 ms, four times that while V8 has compiled nothing; so memory whose container has exec'd is kept with a copy of what was in it at
 * first, and for an equal input the copy is put back, with the new id wherever the old one was.
 *
 * @param kind the same object for inputs that are equal but for their ids, descriptors and what was found out about the cgroup
 * @param facts of the host, as text, where they are known
 */
export function layOutContainer(input: PlanInput, kind?: object, facts?: string): LaidOut {
  const key = kind === undefined ? keyOf(input) : keyOfRest(input, facts);
  const at = free.findIndex((one) => one.kind === kind && one.key === key && one.suits(input));
  if (at >= 0) {
    const [template] = free.splice(at, 1) as [Template];
    template.renew(input.id);
    const { plan, arena } = template;
    const step = (of: Step) => layOut(planContainer(input)).steps[arena.steps.indexOf(of)] as Step;
    return { plan, arena, step, done: () => keep(template) };
  }
  const plan = planContainer(input);
  const arena = layOut(plan);
  const template = new Template(kind, key, input, plan, arena);
  return { plan, arena, step: (of) => of, done: () => keep(template) };
}

/** The same without anything kept, for a program that starts one container. */
export function layOutOnce(input: PlanInput, options: { timed: boolean }): LaidOut {
  const plan = planContainer(input);
  return { plan, arena: layOut(plan, options), step: (of) => of, done() {} };
}

/** The newest last. */
const free: Template[] = [];
/** As many as are started side by side, and a few kinds. 70 KB each. */
const MOST = 8;

function keep(template: Template): void {
  free.push(template);
  if (free.length > MOST) free.shift();
}

class Template {
  readonly kind: object | undefined;
  readonly key: string;
  readonly plan: ContainerPlan;
  readonly arena: Arena;
  readonly #filter: Uint8Array | undefined;
  readonly #deviceProgram: Uint8Array | undefined;
  readonly #first: Uint8Array;
  readonly #id: string;
  #places: { at: number; length: number }[] | undefined;

  constructor(kind: object | undefined, key: string, input: PlanInput, plan: ContainerPlan, arena: Arena) {
    this.kind = kind;
    this.key = key;
    this.plan = plan;
    this.arena = arena;
    this.#id = input.id;
    this.#filter = input.seccomp?.filter;
    this.#deviceProgram = input.cgroup?.deviceProgram;
    this.#first = new Uint8Array(arena.bytes);
  }

  suits(input: PlanInput): boolean {
    return (
      same(this.#filter, input.seccomp?.filter) && same(this.#deviceProgram, input.cgroup?.deviceProgram)
    );
  }

  /** As laid out, for another container. */
  renew(id: string): void {
    const { bytes } = this.arena;
    bytes.set(this.#first);
    this.#places ??= placesOf(bytes, this.#id);
    for (const { at, length } of this.#places) bytes.write(id, at, length, 'latin1');
  }
}

/** A container's id is in its plan in two forms: all of it, and its beginning, the host name. */
const SHORT = 12;

/** Where an id is in memory. */
export function placesOf(bytes: Buffer, id: string): { at: number; length: number }[] {
  const places: { at: number; length: number }[] = [];
  const short = id.slice(0, SHORT);
  let at = bytes.indexOf(short, 0, 'latin1');
  while (at >= 0) {
    const length = bytes.toString('latin1', at, at + id.length) === id ? id.length : SHORT;
    places.push({ at, length });
    at = bytes.indexOf(short, at + length, 'latin1');
  }
  return places;
}

/** What a plan is made from, without the id. Anything else that differs from container to container, in whatever form, makes another key. */
function keyOf(input: PlanInput): string {
  const { seccomp, cgroup, spec, ...rest } = input;
  const plain = {
    ...rest,
    // The profile is in the filter, and may have numbers that JSON does not.
    spec: { ...spec, linux: { ...spec.linux, seccomp: undefined } },
    seccomp: seccomp && { flags: seccomp.flags },
    cgroup: cgroup && { ...cgroup, deviceProgram: undefined },
    host: hostFacts(input),
  };
  return JSON.stringify(plain).replaceAll(input.id, '\0').replaceAll(input.id.slice(0, SHORT), '\x01');
}

/** What inputs of one kind may differ in. */
function keyOfRest(input: PlanInput, facts = JSON.stringify(hostFacts(input))): string {
  return JSON.stringify([
    input.stdio,
    input.ready,
    input.reader,
    input.networkSocket,
    input.cgroup?.writes,
    input.cgroup?.tight,
    facts,
  ]);
}

function same(a: Uint8Array | undefined, b: Uint8Array | undefined): boolean {
  return a === b || (a !== undefined && b !== undefined && Buffer.compare(a, b) === 0);
}
