import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { lockFile } from '../../../src/kernel/index.ts';
import type { Place } from '../../fixtures/leftovers.ts';
import type { Random } from '../../fixtures/random.ts';
import { CLI } from '../../fixtures/tsbox.ts';

const NAMES = ['n0', 'n1', 'n2', 'n3', 'n4', 'n5', 'n6'];
const PROGRAMS = [
  ['sleep', '1000'],
  ['sh', '-c', 'sleep 0.3; exit 3'],
  ['sh', '-c', 'while :; do echo line; sleep 0.05; done'],
  ['sh', '-c', 'sleep 1000 & sleep 1000 & wait'],
];
const WAYS = [
  [],
  ['--init'],
  ['--userns', 'auto'],
  ['--restart', 'always'],
  ['-t'],
  ['--rm'],
  ['-v', 'kept:/data'],
  ['-v', '/data', '--tmpfs', '/tmp'],
  ['--health-cmd', 'true', '--health-interval', '1s'],
  ['--network', 'none'],
  ['--network', 'net0'],
  ['--network', 'net0', '--network', 'net1:alias=all'],
  ['-p', '8080:80'],
];

/** A command line of each kind, on containers that may be there or not. */
export function anyCommand(place: Place, random: Random): string[] {
  const name = random.pick(NAMES);
  const make = () => [
    ...['--cgroup-parent', place.cgroupParent, ...random.pick(WAYS)],
    ...['busybox', ...random.pick(PROGRAMS)],
  ];
  const commands: (() => string[])[] = [
    () => ['run', '--name', name, ...make()],
    () => ['run', '-d', '--name', name, ...make()],
    () => ['run', '-d', '--name', name, ...make()],
    () => ['run', '-d', ...make()],
    () => ['create', '--name', name, ...make()],
    () => ['start', name],
    () => ['start', name],
    () => ['start', '-a', name],
    () => ['stop', '-t', '0', name],
    () => ['kill', name],
    () => ['restart', '-t', '0', name],
    () => ['rm', '-f', '-v', name],
    () => ['rm', name],
    () => ['exec', name, 'sh', '-c', 'echo in; sleep 1000'],
    () => ['exec', '-t', name, 'sleep', '1000'],
    () => ['exec', '-d', name, 'sleep', '1000'],
    () => ['logs', '-f', name],
    () => ['attach', '--no-stdin', name],
    () => ['wait', name],
    () => ['pause', name],
    () => ['unpause', name],
    () => ['rename', name, random.pick(NAMES)],
    () => ['update', '--restart', random.pick(['no', 'always', 'on-failure:2']), name],
    () => ['cp', `${name}:/bin`, join(place.root, `copy-${random.below(3)}`)],
    () => ['cp', CLI, `${name}:/copy`],
    () => ['commit', name, 'made'],
    () => ['export', '-o', join(place.root, 'copy-of-all.tar'), name],
    () => ['ps', '-a'],
    () => ['inspect', name],
    () => ['top', name],
    () => ['volume', 'create', 'other'],
    () => ['volume', 'rm', 'other'],
    () => ['system', 'sweep'],
    () => ['network', 'create', random.pick(['net0', 'net1'])],
    () => ['network', 'connect', 'net1', name],
    () => ['network', 'disconnect', random.pick(['net0', 'bridge']), name],
    () => ['network', 'rm', 'net1'],
  ];
  return random.pick(commands)();
}

export interface End {
  args: string[];
  killed: boolean;
  status: number | null;
  stderr: string;
}

/** Begins a command, and kills it after so many milliseconds unless it has ended. */
export async function cutShort(place: Place, args: string[], milliseconds: number): Promise<End> {
  const child = spawn(process.execPath, [CLI, ...args], {
    env: place.environment,
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  ours.add(child);
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (chunk) => {
    stderr += chunk;
  });
  const end = new Promise<number | null>((resolve) => child.once('exit', resolve));
  await Promise.race([end, sleep(milliseconds)]);
  const killed = child.kill('SIGKILL');
  const status = await end;
  ours.delete(child);
  return { args, killed: killed && status === null, status, stderr };
}

/** Commands that run, of this process. */
const ours = new Set<ChildProcess>();

/** PIDs of what commands have left running on purpose: monitors, what they become, those who wait for the end of an `exec -d`, janitors. */
export function companions(place: Place): number[] {
  const started = new Set([...ours].map(({ pid }) => pid));
  return readdirSync('/proc').flatMap((pid) => {
    if (!/^\d+$/.test(pid) || started.has(Number(pid)) || Number(pid) === process.pid) return [];
    try {
      const variables = readFileSync(`/proc/${pid}/environ`, 'latin1').split('\0');
      return variables.includes(`TSBOX_ROOT=${place.root}`) ? [Number(pid)] : [];
    } catch {
      return [];
    }
  });
}

/** What of the records is not so. Asked when nobody changes anything. */
export function untruths(place: Place): string[] {
  const directory = join(place.root, 'containers');
  const ids = existsSync(directory) ? readdirSync(directory) : [];
  const wrong = ids.flatMap((id) => untruthsOf(place, join(directory, id), id));
  for (const name of list(join(place.root, 'names'))) {
    const file = join(place.root, 'names', name, '..', '..', 'containers');
    if (!existsSync(file)) wrong.push(`name ${name} leads nowhere`);
  }
  return wrong;
}

function untruthsOf(place: Place, path: string, id: string): string[] {
  const short = id.slice(0, 12);
  let record: {
    id: string;
    status: string;
    pid?: number;
    pidStart?: number;
    monitor?: { pid: number };
    cgroup?: string;
    rm: boolean;
    restartDelay?: number;
  };
  try {
    record = JSON.parse(readFileSync(join(path, 'container.json'), 'utf8'));
  } catch {
    return [`${short} has no record`];
  }
  const free = isFree(path);
  const { status, pid = 0, pidStart } = record;
  const group = join(place.cgroup, id);
  const members = existsSync(group) ? readFileSync(join(group, 'cgroup.procs'), 'latin1').trim() : undefined;
  if (status === 'restarting') return free ? [`${short} restarts, and nobody sees to it`] : [];
  if (status === 'running' || status === 'paused') {
    return [
      ...(startOf(pid) !== pidStart ? [`${short} is ${status} and its program is dead`] : []),
      ...(free ? [`${short} is ${status} and nobody takes care of it`] : []),
      ...(members ? [] : [`${short} is ${status} and its cgroup is empty`]),
    ];
  }
  return [
    ...(free ? [] : [`${short} is ${status} and somebody holds it`]),
    ...(members === undefined ? [] : [`${short} is ${status} and has a cgroup with ${members || 'nobody'}`]),
    ...(record.rm && status === 'exited' ? [`${short} is ${status} and should be gone`] : []),
  ];
}

function isFree(path: string): boolean {
  const lock = lockFile(path, 'exclusive', { wait: false });
  lock?.release();
  return lock !== undefined;
}

function startOf(pid: number): number | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return fields[0] === 'Z' ? undefined : Number(fields[19]);
  } catch {
    return undefined;
  }
}

function list(path: string): string[] {
  return existsSync(path) ? readdirSync(path) : [];
}
