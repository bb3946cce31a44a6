import { execFile, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readlinkSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';

const execute = promisify(execFile);

/** A network namespace: of a machine that has containers, of a container, or of somebody outside. */
export class Network {
  #holder;

  /** @param pid of a process in it; undefined for the one of this program */
  constructor(pid) {
    this.pid = pid;
  }

  /** A new one, with nothing but lo, which is up. */
  static async make() {
    const holder = spawn('unshare', ['--net', 'sleep', '1000000'], { stdio: 'ignore' });
    const own = readlinkSync('/proc/self/ns/net');
    while (readlinkSync(`/proc/${holder.pid}/ns/net`) === own) await sleep(5);
    const made = new Network(holder.pid);
    made.#holder = holder;
    made.run('ip', 'link', 'set', 'lo', 'up');
    return made;
  }

  command(...command) {
    return this.pid === undefined ? command : ['nsenter', `--net=/proc/${this.pid}/ns/net`, ...command];
  }

  run(...command) {
    const [program, ...args] = this.command(...command);
    return execFileSync(program, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
  }

  async ask(...command) {
    const [program, ...args] = this.command(...command);
    return (await execute(program, args, { maxBuffer: 1 << 24 })).stdout;
  }

  /** Starts a server, and waits until it says something. */
  async serve(...command) {
    const [program, ...args] = this.command(...command);
    const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    await once(child.stdout, 'data');
    child.stdout.resume();
    return child;
  }

  end() {
    this.#holder?.kill('SIGKILL');
  }
}

/**
 * Whether bridges hand what goes from one of their ports to another to the rules for IP (br_netfilter). On most hosts they do once Docker or Kubernetes has asked
 * for the module; where it is part of the kernel, in every namespace from the beginning.
 *
 * @param {Network} machine
 * @returns whether this kernel can
 */
export function setBridgeFilter(machine, on) {
  if (!existsSync('/proc/sys/net/bridge')) return false;
  for (const family of ['ip', 'ip6'])
    machine.run('sysctl', '-qw', `net.bridge.bridge-nf-call-${family}tables=${on ? 1 : 0}`);
  return true;
}

/**
 * Somebody outside: a namespace that has a cable to this machine's, 192.0.2.2 to 192.0.2.1, and sends everything there.
 *
 * @param {Network} machine
 */
export async function makeOutside(machine) {
  const outside = await Network.make();
  const peer = ['peer', 'name', 'eth0', 'netns', String(outside.pid)];
  machine.run('ip', 'link', 'add', 'uplink0', 'type', 'veth', ...peer);
  machine.run('ip', 'address', 'add', '192.0.2.1/24', 'dev', 'uplink0');
  machine.run('ip', 'link', 'set', 'uplink0', 'up');
  outside.run('ip', 'address', 'add', '192.0.2.2/24', 'dev', 'eth0');
  outside.run('ip', 'link', 'set', 'eth0', 'up');
  outside.run('ip', 'route', 'add', 'default', 'via', '192.0.2.1');
  // Docker's containers have a way out through it, and so have ours.
  machine.run('ip', 'route', 'add', 'default', 'via', '192.0.2.2');
  return outside;
}
