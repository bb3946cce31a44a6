import { readFileSync } from 'node:fs';
import { arch, availableParallelism, release, totalmem } from 'node:os';
import { type CgroupHost, findCgroup } from '../cgroup/index.ts';
import { version } from '../version.ts';
import { storeRoot } from './paths.ts';

/** What tsbox knows about the machine it runs on. */
export interface Info {
  version: string;
  /** Of Node, without the v. */
  node: string;
  /** The kernel's release. */
  kernel: string;
  /** As in /etc/os-release. */
  operatingSystem: string;
  architecture: string;
  /** That this process may use. */
  processors: number;
  /** In bytes. */
  memory: number;
  /** Where images and containers are kept. */
  store: string;
  root: boolean;
  cgroup: {
    /** Where v2 is mounted; absent where it is not. */
    mount?: string;
    hybrid: boolean;
    /** Those that v2 has. */
    controllers: string[];
  };
}

/** Facts about the machine; it changes nothing and needs no root. */
export function info(): Info {
  return {
    version,
    node: process.versions.node,
    kernel: release(),
    operatingSystem: operatingSystem(),
    architecture: arch(),
    processors: availableParallelism(),
    memory: totalmem(),
    store: storeRoot(),
    root: process.geteuid?.() === 0,
    cgroup: cgroup(),
  };
}

function cgroup(): Info['cgroup'] {
  let host: CgroupHost;
  try {
    host = findCgroup();
  } catch {
    return { hybrid: false, controllers: [] };
  }
  return { mount: host.mountPoint, hybrid: host.mode === 'hybrid', controllers: host.controllers };
}

/** os-release(5) */
function operatingSystem(): string {
  for (const path of ['/etc/os-release', '/usr/lib/os-release']) {
    try {
      const name = /^PRETTY_NAME=(.*)$/m.exec(readFileSync(path, 'utf8'))?.[1];
      if (name) return name.replace(/^(["'])(.*)\1$/, '$2');
    } catch {} // the other one, or none
  }
  return 'Linux';
}
