import { existsSync, realpathSync, statSync } from 'node:fs';
import { findCgroup, type LimitWrite, requireFiles } from '../cgroup/index.ts';
import type { TsboxError } from '../kernel/error.ts';
import { Arena, Slot } from '../launch/index.ts';
import { prepareGroup } from './group-parents.ts';
import { type Creation, forgetCreation, recallCreation } from './kept.ts';
import type { Likeness } from './likeness.ts';
import type { LaidOut, Making, Wanted } from './making.ts';

/** What follows from a configuration, besides its plan. */
export interface Made extends Pick<Making, 'rootfs' | 'annotations' | 'hooks' | 'poststart' | 'poststop'> {
  /** Where its root filesystem was said to be: `rootfs` may have been found through symlinks. */
  root: string;
  /** The directory of its group. */
  group: string;
  /** The limits, before it is known which files the kernel has for them. */
  limits: LimitWrite[];
  /** What of its limits is left out, in words. */
  warnings: string[];
  /** What kinds of file these are changes the plan. */
  paths: string[];
}

/**
 * A container of which others like it were made before, and nothing is different on this host: it is made by the same plan, and nothing of its
 * configuration is read but that it is the same. docs/decisions/0007-kept-plans.md
 *
 * @param config its configuration, as it is now
 */
export function fromKept(config: Buffer, wanted: Wanted, likeness: Likeness): Making | undefined {
  const kept = recallCreation(likeness);
  if (kept === undefined) return undefined;
  const made = JSON.parse(kept.made) as Made;
  if (hostNow(made) !== kept.host) return undefined;
  return {
    ...made,
    json: kept.json,
    group(warn) {
      for (const message of made.warnings) warn(message);
      return { path: made.group };
    },
    plan: () => laidOut(kept, (outcome) => failed(config, wanted, likeness, outcome)),
  };
}

/**
 * All that a plan depends on besides the configuration, as text; makes the parents of its group. Undefined where something is in its way, which its
 * configuration then shows better, and where its group is there already: that is another plan, and it may be somebody's.
 */
export function hostNow({ root, rootfs, group, limits, paths }: Made): string | undefined {
  try {
    if (realpathSync(root) !== rootfs || !isDirectory(rootfs) || existsSync(group)) return undefined;
    const host = findCgroup();
    prepareGroup(host, group, limits);
    return JSON.stringify([host, requireFiles(group, limits), paths.map(isDirectory)]);
  } catch {
    return undefined;
  }
}

/** Undefined where there is nothing. */
function isDirectory(path: string): boolean | undefined {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory();
}

function laidOut(
  { plan: bytes, slot, outcomeLength }: Creation,
  error: (outcome: Buffer) => Promise<TsboxError>,
): LaidOut {
  const pid = new Slot('pid');
  const arena = new Arena(bytes, [], new Map([[pid, slot]]));
  return {
    bytes,
    outcomeLength,
    pid: () => arena.slot(pid),
    hasFailed: () => arena.failedAt >= 0,
    error: () => error(bytes.subarray(0, outcomeLength)),
  };
}

/** Which step that was, only planning tells. */
async function failed(
  config: Buffer,
  wanted: Wanted,
  likeness: Likeness,
  outcome: Buffer,
): Promise<TsboxError> {
  forgetCreation(likeness);
  const { explainOutcome } = await import('./from-config.ts');
  return explainOutcome(config, wanted, outcome);
}
