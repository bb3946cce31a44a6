import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach } from 'vitest';
import type { HostNetworks } from '../../../../src/network/store/host.ts';

/** A store of each test's own. */
export function useStore(): { root: () => string } {
  let root = '';
  const before = process.env.TSBOX_ROOT;
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'tsbox-networks-'));
    process.env.TSBOX_ROOT = root;
  });
  afterEach(() => {
    if (before === undefined) delete process.env.TSBOX_ROOT;
    else process.env.TSBOX_ROOT = before;
    rmSync(root, { recursive: true });
  });
  return { root: () => root };
}

/** @param taken interfaces that are another store's */
export function hostWith(subnets: string[] = [], ipv6 = true, taken: string[] = []): HostNetworks {
  return { subnets: () => subnets, hasIpv6: () => ipv6, isTaken: (name) => taken.includes(name) };
}

export function containerId(n: number): string {
  return n.toString(16).padStart(64, '0');
}
