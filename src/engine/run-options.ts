import type { PullEvent } from '../image/pull/index.ts';

/** What a program may want to hear of while a container is made. */
export interface RunHooks {
  /** Called before an image is pulled; what it gives is told how far the pull is. */
  onPull?: () => Promise<(event: PullEvent) => void>;
}

/**
 * What a container can be asked for. The same names as the flags of `tsbox run`, in camel case; where the flag takes a string with
 * Docker's units or syntax (`64m`, `SRC:DST:ro`), so does the option, and a number means bytes.
 */
export interface RunOptions {
  // The image
  /** When the image is pulled: `missing` (default) where the store has none of that name, `always`, which costs one request where nothing is new, or `never`. */
  pull?: string;
  /** `linux/arm64`: what to pull of an image for several platforms. Default: this machine's. */
  platform?: string;
  /** Say nothing of a pull. Only the command says anything. */
  quiet?: boolean;

  // Identity of the container
  /** A name of your own; letters, digits, `_`, `.` and `-`, at least two characters. Unique among the containers that exist. */
  name?: string;
  /** Remove the container and its writable layer when it ends. Default true in the library, false for `tsbox run`. */
  rm?: boolean;
  labels?: Record<string, string>;
  /** A file that must not exist yet; the container's id is written to it. */
  cidfile?: string;
  /** Whether it is started again when it ends: `no` (default), `on-failure[:MAXIMUM]`, `always` or `unless-stopped`. */
  restart?: string;
  /** A command for the container's shell that says, by exiting with 0, that the container does what it is for. Default: the image's check. */
  healthCmd?: string;
  /** From the end of one check to the next; also `1m30s`. Default 30s. */
  healthInterval?: string;
  /** How long one may take. Default 30s. */
  healthTimeout?: string;
  /** So many failures in a row make it unhealthy. Default 3. */
  healthRetries?: number;
  /** From the start on; failures in it do not count. Default 0s. */
  healthStartPeriod?: string;
  /** From the end of one check to the next within the start period, until one succeeds. Default 5s. */
  healthStartInterval?: string;
  /** Without the image's check. */
  noHealthcheck?: boolean;
  /** `cri` (default; `json-file` is taken for it): what the program writes is kept for `logs`. `none`: it is not. */
  logDriver?: string;
  /** `max-size`: bytes of a log file, with units; `max-file`: how many files there are at most. Default: one, of any size. */
  logOpts?: Record<string, string>;

  // The program
  /** Replaces the image's entrypoint; an empty string or array means none. */
  entrypoint?: string | string[];
  /** `NAME|UID[:GROUP|GID]`, names as in the image's own /etc/passwd and /etc/group. Default: the image's user, else root. */
  user?: string;
  /** Further groups, names or numbers. */
  groupAdd?: (string | number)[];
  /** Absolute; made if it is not there. Default: the image's, else `/`. */
  workdir?: string;
  /** On top of the image's. A value of undefined takes this process's own, as `-e NAME` does. */
  env?: Record<string, string | undefined>;
  /** Files of `NAME=VALUE` lines; `env` wins over them. */
  envFile?: string[];
  hostname?: string;
  domainname?: string;
  /** Run a small reaper as PID 1, which passes signals on to the program and waits for orphans. */
  init?: boolean;

  // Terminal and streams
  /** Give the program a terminal. */
  tty?: boolean;
  /** Keep the program's standard input open. */
  interactive?: boolean;
  /** Which signal `stop` sends first: a name or number. Default: the image's, else SIGTERM. */
  stopSignal?: string;
  /** Seconds between that signal and SIGKILL. Default 10. */
  stopTimeout?: number;

  // Namespaces
  /**
   * The name of a network, or several in an array: the default route goes through the first. Default `bridge`. `none`: a network namespace with only loopback.
   * `host`: the host's. `container:CONTAINER`: the one of another container, which must run. With a network's name may come what is wanted there:
   * `backend:ip=10.1.2.3,alias=db,mac=02:42:…`, or `name=backend,ip=10.1.2.3,alias=db`.
   */
  network?: string | string[];
  /** Its IPv4 address in its (first) network, which must be one that somebody made. Default: a free one, anew at each start. */
  ip?: string;
  /** The same for IPv6. */
  ip6?: string;
  /** Its Ethernet address in its (first) network. Default: one made of its IPv4 address. */
  macAddress?: string;
  /** Further names that others in its (first) network find it by. */
  networkAlias?: string[];
  /** `[ADDRESS:][HOST:]CONTAINER[/tcp|udp|sctp]`, ports or ranges: ports of the host that lead to the container's. Without HOST any one that is free. */
  publish?: string[];
  /** Publish all ports that the image, or `expose`, says the program serves. */
  publishAll?: boolean;
  /** Ports that the program serves, for `publishAll` and whoever looks. */
  expose?: string[];
  /** Addresses of name servers. Default: the host's, without those that only the host can reach. */
  dns?: string[];
  /** Domains that names without a dot are looked up in; `['.']`: none. Default: the host's. */
  dnsSearch?: string[];
  /** Of resolv.conf(5): `ndots:2`. Default: the host's. */
  dnsOption?: string[];
  /** `NAME:ADDRESS` for its /etc/hosts; `NAME:host-gateway` for the host's own address as it is seen from the container. */
  addHost?: string[];
  pid?: 'private' | 'host';
  ipc?: 'private' | 'host';
  uts?: 'private' | 'host';
  cgroupns?: 'private' | 'host';
  /**
   * `host` (default): none. `auto`: 65536 ids of its own. `UID:GID:SIZE`: the container's root is the host's UID and GID, and so on.
   * `CONTAINER:HOST:SIZE[,…]`: maps for users and groups alike; a single one that begins with 0 is of this kind.
   */
  userns?: string;
  /** Offsets of the container's clocks in seconds: `{ monotonic: 3600, boottime: -60 }`. */
  timeOffsets?: { monotonic?: number; boottime?: number };

  // Files
  readOnly?: boolean;
  /** `PATH[:OPTIONS]`, options as mount(8) knows them for tmpfs. */
  tmpfs?: string[];
  /** `SRC:DST[:OPTIONS]`. */
  volumes?: string[];
  /** `type=bind|tmpfs,source=…,target=…[,…]`, as Docker's `--mount`. */
  mounts?: string[];
  /** Size of /dev/shm. Default 64 MiB. */
  shmSize?: string | number;
  /** `HOST[:CONTAINER[:rwm]]`. */
  devices?: string[];
  /** Device rules such as `c 1:3 rwm`. */
  deviceCgroupRules?: string[];

  // Limits
  memory?: string | number;
  memoryReservation?: string | number;
  /** Memory and swap together, as in Docker; -1 for unlimited swap. */
  memorySwap?: string | number;
  /** How many processors' worth of time: 0.5, 2. */
  cpus?: string | number;
  /** 2 to 262144, in the terms of cgroup v1. */
  cpuShares?: number;
  /** 1 to 10000, cgroup v2's own `cpu.weight`. */
  cpuWeight?: number;
  cpuPeriod?: number;
  cpuQuota?: number;
  /** `0-2,4`. */
  cpusetCpus?: string;
  cpusetMems?: string;
  /** Processes and threads; 0 or -1 for no limit. */
  pidsLimit?: number;
  /** 10 to 1000. */
  blkioWeight?: number;
  /** `DEVICE:RATE`, with units for bytes. */
  deviceReadBps?: string[];
  deviceWriteBps?: string[];
  deviceReadIops?: string[];
  deviceWriteIops?: string[];
  /** -1000 to 1000. */
  oomScoreAdj?: number;
  cgroupParent?: string;
  /** `NAME=SOFT[:HARD]`. */
  ulimits?: string[];
  sysctls?: Record<string, string>;

  // Privilege
  capAdd?: string[];
  capDrop?: string[];
  /** `no-new-privileges`, `seccomp=FILE|unconfined`, `apparmor=PROFILE|unconfined`, `systempaths=unconfined`. */
  securityOpt?: string[];
  privileged?: boolean;
}
