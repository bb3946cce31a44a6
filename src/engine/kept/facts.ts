import { existsSync } from 'node:fs';
import { release } from 'node:os';
import {
  areOffered,
  cgroupPath,
  controllersOf,
  findCgroup,
  type LimitWrite,
  memoryIsTight,
  requireFiles,
} from '../../cgroup/index.ts';
import { indexVersion } from '../../image/store/find-again.ts';
import { hostFacts } from '../../runtime/container.ts';
import type { Spec } from '../../runtime/spec.ts';
import { answerOf, type Question } from '../asked.ts';
import { type Host, thisHost } from '../host.ts';
import { ownCapabilities } from '../own-capabilities.ts';
import { storeRoot } from '../paths.ts';
import { bootId } from '../process-identity.ts';

/** What must be known to ask again. */
export interface Questions {
  /** What preparing asked the host. */
  asked: readonly Question[];
  layers: readonly string[];
  /** The limits, before it was known which of their files this kernel has. */
  writes: readonly LimitWrite[];
}

/**
 * Everything outside of tsbox and the command line that a plan depends on, as it is now, in one comparable string. Undefined where something
 * stands in the way of keeping a plan at all: the index changes just now, a layer is gone, a cgroup's parents have to be
 * made first, or memory is so tight that the plan needs a helper.
 *
 * @throws {TsboxError} where a limit cannot be kept
 */
export function factsNow(
  { asked, layers, writes }: Questions,
  spec: Spec,
  id: string,
  host: Host = thisHost,
): string | undefined {
  // Names lead elsewhere only through the index: what is below it is named by its digest.
  const index = indexVersion();
  if (index === undefined || !layers.every((layer) => existsSync(layer))) return undefined;
  const group = findCgroup();
  const path = cgroupPath(group, id);
  if (
    !areOffered(path, [
      ...controllersOf([...writes]),
      ...COUNTED.filter((name) => group.controllers.includes(name)),
    ])
  )
    return undefined;
  if (memoryIsTight(group, path, writes)) return undefined;
  return JSON.stringify([
    [release(), bootId(), storeRoot(), [...ownCapabilities()].join()],
    index,
    group,
    requireFiles(path, writes),
    hostFacts({ spec }),
    asked.map((question) => answerOf(host, question) ?? null),
  ]);
}

/** As in src/engine/prepare.ts. */
const COUNTED = ['cpu', 'memory', 'pids', 'io'];
