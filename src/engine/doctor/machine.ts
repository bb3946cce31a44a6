import { existsSync, readFileSync } from 'node:fs';
import { arch, release } from 'node:os';
import { findCgroup } from '../../cgroup/index.ts';
import { findNft, forwardChains } from '../../network/nat/index.ts';
import { storeRoot } from '../paths.ts';
import type { Machine } from './check.ts';
import { rulesProbe } from './probe-network.ts';
import { PROBES } from './probes.ts';

/** The machine that this runs on. */
export function thisMachine(): Machine {
  const root = storeRoot();
  return {
    release: release(),
    architecture: arch(),
    uid: process.geteuid?.() ?? -1,
    root,
    read(path) {
      try {
        return readFileSync(path, 'utf8');
      } catch {
        return undefined;
      }
    },
    exists: existsSync,
    cgroup: () => findCgroup(),
    probe: (name) => PROBES[name](root),
    nft: findNft,
    rulesProblem: rulesProbe,
    forwardChains: () => forwardChains(['tsbox0']),
  };
}
