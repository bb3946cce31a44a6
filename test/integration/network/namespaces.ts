import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readlinkSync } from 'node:fs';
import { describe } from 'vitest';
import { closeDescriptor } from '../../../src/kernel/index.ts';
import { openNetworkNamespace } from '../../../src/kernel/netlink/index.ts';
import { eventually } from '../support/tsbox.ts';

const missing = ['ip', 'bridge', 'nsenter', 'unshare', 'busybox'].filter(
  (name) => spawnSync('sh', ['-c', `command -v ${name}`]).status !== 0,
);
const why =
  process.geteuid?.() !== 0
    ? 'root'
    : missing.length > 0
      ? `${missing.join(', ')}: scripts/setup --test`
      : undefined;

/** Tests that make links, in the network namespace that their file has (support/network.ts). */
export const describeLinks = (name: string, tests: () => void) =>
  describe.skipIf(why !== undefined)(why === undefined ? name : `${name} (skipped: needs ${why})`, tests);

/** A network namespace with nothing in it, and a process that keeps it: what a container is to the network. */
export class Namespace {
  readonly holder: ChildProcess;
  readonly fd: number;

  /** @param flags of unshare(1), besides --net */
  static async make(...flags: string[]): Promise<Namespace> {
    const holder = spawn('unshare', [...flags, '--net', 'sleep', '1000'], { stdio: 'ignore' });
    const own = readlinkSync('/proc/thread-self/ns/net');
    const link = `/proc/${holder.pid}/ns/net`;
    await eventually(() => readlinkSync(link) !== own, 'a new network namespace');
    return new Namespace(holder);
  }

  private constructor(holder: ChildProcess) {
    this.holder = holder;
    this.fd = openNetworkNamespace(holder.pid as number);
  }

  /** What a program prints in it. */
  run(...command: string[]): string {
    return execFileSync('nsenter', this.#enter(command), { encoding: 'utf8', stdio: 'pipe' });
  }

  /** What `ip -json` says in it. */
  // biome-ignore lint/suspicious/noExplicitAny: what is in it is what the tests are about
  ip(...args: string[]): any[] {
    return JSON.parse(this.run('ip', '-json', '-details', ...args));
  }

  /** A program of Node's in it. Ends with the namespace, or before. */
  node(source: string, ...args: string[]): ChildProcess {
    const command = ['setpriv', '--pdeathsig', 'KILL', process.execPath, '-e', source, ...args];
    return spawn('nsenter', this.#enter(command), { stdio: ['ignore', 'pipe', 'inherit'] });
  }

  /** The kernel removes the namespace, and with it what is in it, a moment after the last process has gone. */
  async end(): Promise<void> {
    this.holder.kill('SIGKILL');
    if (this.holder.signalCode === null) await once(this.holder, 'exit');
    closeDescriptor(this.fd);
  }

  #enter(command: string[]): string[] {
    return [`--net=/proc/${this.holder.pid}/ns/net`, ...command];
  }
}

/** What `ip -json` says in the tests' own namespace. */
// biome-ignore lint/suspicious/noExplicitAny: as above
export function ip(...args: string[]): any[] {
  return JSON.parse(execFileSync('ip', ['-json', '-details', ...args], { encoding: 'utf8' }) || '[]');
}

/** Changes something with `ip`, which is not ours. */
export function change(...args: string[]): void {
  execFileSync('ip', args, { stdio: 'pipe' });
}

/** The names of the links in the tests' own namespace, without lo. */
export function links(): string[] {
  return ip('link')
    .map(({ ifname }) => ifname)
    .filter((name) => name !== 'lo');
}
