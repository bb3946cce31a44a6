import type { RunOptions } from '../../index.ts';
import { type Flag, integer, oneOf, pairs, text, texts, toggle } from './flag.ts';

/**
 * The flags of `tsbox run` and the option of the library that each one sets: Docker's names, long and short, where Docker has the
 * thing. In the order of `--help`, under its headings. An option without a flag does not compile.
 *
 * What a value may be is checked by the engine, which says the same to a program that uses the library; here a flag is only
 * taken apart as far as its option's type asks.
 */
export const RUN_FLAGS: { [Name in keyof Required<RunOptions>]: Flag<NonNullable<RunOptions[Name]>> } = {
  pull: oneOf(
    ['missing', 'always', 'never'],
    'Container',
    '--pull <missing|always|never>',
    'When to get the image from its registry (default missing)',
  ),
  platform: text('Container', '--platform <os/arch[/variant]>', "What to pull (default: this machine's)"),
  quiet: toggle('Container', '-q, --quiet', 'Say nothing of a pull'),
  name: text('Container', '--name <name>', 'A name of your own for the container'),
  rm: toggle('Container', '--rm', 'Remove the container when it ends'),
  labels: pairs('Container', '-l, --label <key[=value]>', 'Note something about the container', ''),
  cidfile: text('Container', '--cidfile <file>', "Write the container's ID to a new file"),
  restart: text(
    'Container',
    '--restart <policy>',
    'When it ends: no, on-failure[:max], always, unless-stopped',
  ),
  healthCmd: text('Container', '--health-cmd <command>', 'What says whether it is healthy, by its exit code'),
  healthInterval: text('Container', '--health-interval <time>', 'How often that is run (default 30s)'),
  healthTimeout: text('Container', '--health-timeout <time>', 'How long it may take (default 30s)'),
  healthRetries: integer(
    'Container',
    '--health-retries <number>',
    'How many failures in a row count (default 3)',
  ),
  healthStartPeriod: text(
    'Container',
    '--health-start-period <time>',
    'When failures do not count yet (default 0s)',
  ),
  healthStartInterval: text(
    'Container',
    '--health-start-interval <time>',
    'How often it is run then, until it succeeds (default 5s)',
  ),
  noHealthcheck: toggle('Container', '--no-healthcheck', "Without the image's health check"),
  logDriver: text('Container', '--log-driver <cri|none>', 'Whether what it writes is kept for `tsbox logs`'),
  logOpts: pairs('Container', '--log-opt <name=value>', 'max-size=10m, max-file=3: when a new log is begun'),
  stopSignal: text('Container', '--stop-signal <signal>', 'What asks the program to stop (default SIGTERM)'),
  stopTimeout: integer(
    'Container',
    '--stop-timeout <seconds>',
    'How long it then has until SIGKILL (default 10)',
  ),

  entrypoint: text('Program', '--entrypoint <program>', "Instead of the image's entrypoint; '' for none"),
  user: text('Program', '-u, --user <name|uid[:group|gid]>', 'Who runs it, as the image knows them'),
  groupAdd: texts('Program', '--group-add <group>', 'A further group'),
  workdir: text('Program', '-w, --workdir <path>', 'Where it starts'),
  env: pairs(
    'Program',
    '-e, --env <name[=value]>',
    'Set a variable; without a value, pass yours on',
    undefined,
  ),
  envFile: texts('Program', '--env-file <file>', 'Set the variables of a file of NAME=VALUE lines'),
  init: toggle('Program', '--init', 'Run a small init as PID 1, which passes on signals and reaps orphans'),

  tty: toggle('Terminal', '-t, --tty', 'Give it a terminal'),
  interactive: toggle('Terminal', '-i, --interactive', 'Connect your standard input'),

  memory: text('Limits', '-m, --memory <bytes>', 'Most memory: 64m, 1.5g'),
  memoryReservation: text(
    'Limits',
    '--memory-reservation <bytes>',
    'Memory that is kept for it as far as possible',
  ),
  memorySwap: text('Limits', '--memory-swap <bytes>', 'Most memory and swap together; -1 for any'),
  cpus: text('Limits', '--cpus <number>', 'Most processor time: 0.5 is half of one'),
  cpuShares: integer(
    'Limits',
    '-c, --cpu-shares <2-262144>',
    'Part of the time when others want it too (1024 is usual)',
  ),
  cpuWeight: integer('Limits', '--cpu-weight <1-10000>', "The same in cgroup v2's terms (100 is usual)"),
  cpuPeriod: integer('Limits', '--cpu-period <microseconds>', 'Period that --cpu-quota is measured in'),
  cpuQuota: integer('Limits', '--cpu-quota <microseconds>', 'Most processor time a period'),
  cpusetCpus: text('Limits', '--cpuset-cpus <list>', 'Only these processors: 0-2,4'),
  cpusetMems: text('Limits', '--cpuset-mems <list>', 'Only these memory nodes'),
  pidsLimit: integer('Limits', '--pids-limit <number>', 'Most processes and threads; -1 for any number'),
  blkioWeight: integer('Limits', '--blkio-weight <10-1000>', 'Part of the disk time when others want it too'),
  deviceReadBps: texts('Limits', '--device-read-bps <device:rate>', 'Most bytes a second: /dev/sda:1mb'),
  deviceWriteBps: texts('Limits', '--device-write-bps <device:rate>', 'The same for writing'),
  deviceReadIops: texts(
    'Limits',
    '--device-read-iops <device:rate>',
    'Most operations a second: /dev/sda:100',
  ),
  deviceWriteIops: texts('Limits', '--device-write-iops <device:rate>', 'The same for writing'),
  ulimits: texts('Limits', '--ulimit <name=soft[:hard]>', 'A limit of each process: nofile=1024:2048'),
  oomScoreAdj: integer(
    'Limits',
    '--oom-score-adj <-1000-1000>',
    'How willingly it is killed when the host lacks memory',
  ),
  cgroupParent: text('Limits', '--cgroup-parent <path>', "The cgroup to make the container's in"),

  volumes: texts(
    'Files',
    '-v, --volume <source:path[:options]>',
    'Show a directory or file of yours inside: /srv:/data:ro',
  ),
  mounts: texts('Files', '--mount <key=value,…>', 'The same in words: type=bind,source=/srv,target=/data'),
  tmpfs: texts('Files', '--tmpfs <path[:options]>', 'An empty directory in memory: /run:size=16m'),
  readOnly: toggle('Files', '--read-only', 'Nothing in its root file system can be written'),
  shmSize: text('Files', '--shm-size <bytes>', 'Size of /dev/shm (default 64m)'),
  devices: texts('Files', '--device <host[:path[:rwm]]>', 'Let it use a device of the host'),
  deviceCgroupRules: texts('Files', '--device-cgroup-rule <rule>', "Allow a kind of device: 'c 10:* rwm'"),

  network: {
    ...text(
      'Network',
      '--network <network>',
      'A network (default bridge); none: only loopback; host: yours; container:NAME',
    ),
    read: (values) => (values.length === 1 ? (values[0] as string) : values),
  },
  ip: text('Network', '--ip <address>', 'Its address in a network of yours'),
  ip6: text('Network', '--ip6 <address>', 'The same for IPv6'),
  macAddress: text('Network', '--mac-address <address>', 'Its Ethernet address'),
  networkAlias: texts(
    'Network',
    '--network-alias <name>',
    'A further name that others in the network find it by',
  ),
  publish: texts(
    'Network',
    '-p, --publish <[[ip:]host:]container[/protocol]>',
    'Lead a port of the host to one of the container',
  ),
  publishAll: toggle('Network', '-P, --publish-all', 'Publish all ports that the image says are served'),
  expose: texts('Network', '--expose <port>', 'A port that is served, for --publish-all'),
  dns: texts('Network', '--dns <address>', "A name server (default: the host's)"),
  dnsSearch: texts('Network', '--dns-search <domain>', 'Where to look up names without a dot; . for nowhere'),
  dnsOption: texts('Network', '--dns-option <option>', 'Of resolv.conf: ndots:2'),
  addHost: texts(
    'Network',
    '--add-host <name:address>',
    'A line of /etc/hosts; host-gateway is your address',
  ),

  hostname: text('Namespaces', '-h, --hostname <name>', "The container's host name (default: its ID)"),
  domainname: text('Namespaces', '--domainname <name>', 'Its NIS domain name'),
  userns: text(
    'Namespaces',
    '--userns <auto|host|map>',
    'Whether its root is yours: auto, or UID:GID:SIZE on the host',
  ),
  pid: oneOf(['private', 'host'], 'Namespaces', '--pid <private|host>', 'host: it sees all processes'),
  ipc: oneOf(
    ['private', 'host'],
    'Namespaces',
    '--ipc <private|host>',
    "host: it shares the host's memory segments",
  ),
  uts: oneOf(['private', 'host'], 'Namespaces', '--uts <private|host>', "host: it has the host's name"),
  cgroupns: oneOf(
    ['private', 'host'],
    'Namespaces',
    '--cgroupns <private|host>',
    'host: it sees the whole cgroup tree',
  ),
  timeOffsets: {
    ...texts('Namespaces', '--time-offset <clock=seconds>', 'Shift its clock: monotonic=3600, boottime=-60'),
    read: readTimeOffsets,
  },
  sysctls: pairs(
    'Namespaces',
    '--sysctl <name=value>',
    'A kernel setting of its namespaces: net.core.somaxconn=1024',
  ),

  capAdd: texts('Privileges', '--cap-add <capability>', 'Allow more: NET_ADMIN, ALL'),
  capDrop: texts('Privileges', '--cap-drop <capability>', 'Allow less: CHOWN, ALL'),
  securityOpt: texts(
    'Privileges',
    '--security-opt <option>',
    'no-new-privileges, seccomp=FILE|unconfined, apparmor=PROFILE',
  ),
  privileged: toggle(
    'Privileges',
    '--privileged',
    'Allow nearly everything: no seccomp, all capabilities and devices',
  ),
};

function readTimeOffsets(values: string[], flag: string): NonNullable<RunOptions['timeOffsets']> {
  const offsets: NonNullable<RunOptions['timeOffsets']> = {};
  const clock = oneOf(['monotonic', 'boottime'], 'Namespaces', flag, '');
  for (const [name, value] of Object.entries(pairs('Namespaces', flag, '').read(values, flag))) {
    offsets[clock.read([name], flag)] = integer('Namespaces', flag, '').read([value], flag);
  }
  return offsets;
}
