import { existsSync } from 'node:fs';
import type { LimitWrite } from '../../cgroup/index.ts';
import { findImage } from '../../image/index.ts';
import { noteSeen, writeKept } from '../../runtime/kept-file.ts';
import { Asked } from '../asked.ts';
import { newContainerId } from '../container-directory.ts';
import { type Host, thisHost } from '../host.ts';
import { networkKind } from '../options/network-mode.ts';
import { prepare } from '../prepare.ts';
import { dependsOnMore } from '../prepare-alike.ts';
import { isPassable } from '../streams.ts';
import { factsNow, type Questions } from './facts.ts';
import type { KeptHeader } from './header.ts';
import { isPlain, type KeptRequest } from './request.ts';
import { makeTemplate } from './template.ts';

/**
 * For a command line that has just worked: notes it the first time, and keeps its plan the second. All of it is prepared anew, so that a
 * run that is not kept does nothing for it. What goes wrong here is nobody's concern: then there is no plan.
 *
 * @param file where to
 * @param key the command line, and the tsbox that read it
 */
export function keepPlan(file: string, key: string, request: KeptRequest): void {
  try {
    if (!isPlain(request)) return;
    if (!existsSync(file)) {
      noteSeen(file);
      return;
    }
    const kept = makeKept(key, request);
    if (kept !== undefined) writeKept(file, kept);
  } catch {
    // A full or read-only disk, or an image that is gone by now.
  }
}

/** Exported for tests. */
export function makeKept(
  key: string,
  request: KeptRequest,
  host: Host = thisHost,
  id = newContainerId(),
): { id: string; text: string; arena: Buffer } | undefined {
  const image = findImage(request.image);
  const asked = new Asked(host);
  const { rm: _, ...options } = request.options;
  const prepared = prepare(image, request.command, { ...options, rm: true }, id, asked.host);
  const { built, input, cgroup } = prepared;
  if (dependsOnMore(prepared, options) || built.init || built.directories) return undefined;
  // Whoever checks its health is not in the bundle that carries out what was kept.
  if (image.config.Healthcheck !== undefined) return undefined;
  const { spec } = built;
  const questions: Questions = {
    asked: asked.questions(),
    layers: image.layers,
    writes: [...cgroup.plan.writes] as LimitWrite[],
  };
  prepared.makeCgroupParents();
  const facts = factsNow(questions, spec, id, host);
  const connected = networkKind(options) === 'networks';
  const template = makeTemplate(
    input,
    {
      stdin: request.attach.includes('stdin') && isPassable(0),
      stdout: request.attach.includes('stdout') && isPassable(1),
      stderr: request.attach.includes('stderr') && isPassable(2),
    },
    connected,
  );
  // Asked after all else: what has changed meanwhile is noticed here.
  if (facts === undefined || template === undefined || !asked.answersAlike()) return undefined;
  const { stopSignal, stopTimeout, seccomp } = built;
  const header: KeptHeader = {
    key,
    request,
    image,
    built: { spec, stopSignal, stopTimeout, seccomp, init: false, files: connected ? built.files : [] },
    network: prepared.network,
    cgroup: cgroup.plan.path,
    questions,
    facts,
    places: template.places,
  };
  return { id, text: JSON.stringify(header), arena: template.arena };
}
