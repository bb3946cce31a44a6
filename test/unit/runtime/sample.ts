import { allSteps, Slot, type Step } from '../../../src/launch/index.ts';
import { type PlanInput, planContainer, type Spec } from '../../../src/runtime/index.ts';

const strict = ['nosuid', 'noexec', 'nodev'];
const capabilities = ['CAP_CHOWN', 'CAP_NET_RAW', 'CAP_SETFCAP'];

/** What `tsbox run` asks for by default, shortened. */
export function sampleSpec(change: (spec: Spec) => void = () => {}): Spec {
  const spec: Spec = {
    ociVersion: '1.2.0',
    root: { path: 'rootfs' },
    hostname: 'box',
    process: {
      user: { uid: 0, gid: 0, additionalGids: [1, 10] },
      args: ['sh', '-c', 'true'],
      env: ['PATH=/bin:/usr/bin'],
      cwd: '/srv/app',
      capabilities: {
        bounding: [...capabilities],
        effective: [...capabilities],
        inheritable: [],
        permitted: [...capabilities],
        ambient: [],
      },
      rlimits: [{ type: 'RLIMIT_NOFILE', soft: 1024, hard: -1 }],
    },
    mounts: [
      { destination: '/proc', type: 'proc', source: 'proc', options: strict },
      { destination: '/dev', type: 'tmpfs', source: 'tmpfs', options: ['nosuid', 'strictatime', 'mode=755'] },
      { destination: '/dev/pts', type: 'devpts', source: 'devpts', options: ['nosuid', 'newinstance'] },
      { destination: '/sys', type: 'sysfs', source: 'sysfs', options: [...strict, 'ro'] },
      { destination: '/sys/fs/cgroup', type: 'cgroup', source: 'cgroup', options: [...strict, 'ro'] },
      { destination: '/data', type: 'bind', source: '/tmp', options: ['rbind', 'ro', 'rprivate'] },
      { destination: '/proc/uptime', type: 'bind', source: '/dev/null', options: ['bind'] },
    ],
    linux: {
      namespaces: (['mount', 'pid', 'network', 'ipc', 'uts', 'cgroup'] as const).map((type) => ({ type })),
      sysctl: { 'net.ipv4.ip_unprivileged_port_start': '0' },
      maskedPaths: ['/proc/kcore', '/proc/bus', '/etc/machine-id'],
      readonlyPaths: ['/proc/sys', '/proc/sysrq-trigger'],
    },
  };
  change(spec);
  return spec;
}

export function sampleInput(
  change: (input: PlanInput) => void = () => {},
  spec: Spec = sampleSpec(),
): PlanInput {
  const input: PlanInput = {
    id: 'f'.repeat(64),
    spec,
    overlay: { layers: ['/store/base', '/store/top'], directory: '/store/containers/x', keep: false },
    cgroup: { path: '/sys/fs/cgroup/tsbox/x', writes: [{ file: 'pids.max', value: '64' }] },
    seccomp: { filter: Buffer.alloc(16), flags: 0 },
    stdio: { stdin: 20, stdout: 21, stderr: 22 },
    ready: 23,
    files: [{ path: '/etc/hosts', content: '127.0.0.1 localhost\n', mode: 0o644 }],
    kernel: { major: 6, minor: 18 },
  };
  change(input);
  return input;
}

/** As the engine makes it: the id is in paths, in the host name, and in files. */
export function inputWithId(
  id: string,
  change: (input: PlanInput) => void = () => {},
  spec: Spec = sampleSpec(),
): PlanInput {
  return sampleInput(
    (input) => {
      input.id = id;
      input.overlay = { layers: ['/store/base'], directory: `/store/containers/${id}`, keep: false };
      input.cgroup = { path: `/sys/fs/cgroup/tsbox/${id}`, writes: [{ file: 'pids.max', value: '64' }] };
      input.files = [{ path: '/etc/hostname', content: `${id.slice(0, 12)}\n`, mode: 0o644 }];
      change(input);
    },
    { ...spec, hostname: id.slice(0, 12) },
  );
}

export const mapped = (spec: Spec) => {
  spec.linux.namespaces.push({ type: 'user' });
  spec.linux.uidMappings = [{ containerID: 0, hostID: 100000, size: 65536 }];
  spec.linux.gidMappings = [
    { containerID: 0, hostID: 200000, size: 5 },
    { containerID: 5, hostID: 300000, size: 1 },
  ];
};

/** A plan as text, one call a line, with helpers to ask where something is. */
export class Listing {
  readonly steps: Step[];
  readonly lines: string[];

  constructor(input: PlanInput) {
    this.steps = allSteps(planContainer(input));
    this.lines = this.steps.map(textOf);
  }

  /** The only line that has all the words. */
  at(...words: string[]): number {
    const found = this.all(...words);
    if (found.length !== 1)
      throw new Error(`${found.length} lines with ${words.join(' ')} in\n${this.lines.join('\n')}`);
    return found[0] as number;
  }

  all(...words: string[]): number[] {
    return this.lines.flatMap((line, index) => (words.every((word) => line.includes(word)) ? index : []));
  }

  last(...words: string[]): number {
    return this.all(...words).at(-1) ?? -1;
  }

  /** The lines of a stage. */
  stage(name: string): string[] {
    return this.lines.filter((_, index) => this.steps[index]?.stage === name);
  }
}

/** A call as a line of text: `pid = clone(SIGCHLD)`. */
export function textOf({ call, args, save }: Step): string {
  return `${save ? `${save.name} = ` : ''}${call}(${args.map(show).join(', ')})`;
}

function show(argument: Step['args'][number]): string {
  if (argument === null) return 'NULL';
  if (typeof argument !== 'object') return String(argument);
  if (argument instanceof Slot) return argument.name;
  if ('slotAddress' in argument) return `&${argument.slotAddress.name}`;
  if ('strings' in argument) return `[${argument.strings.join(' ')}]`;
  return argument.text;
}
