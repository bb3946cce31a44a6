import { posix } from 'node:path';
import { CAPABILITIES, randomHex } from '../../kernel/index.ts';
import type { ProvidedFile } from '../../runtime/plan-input.ts';
import type { Capabilities, Spec } from '../../runtime/spec.ts';
import { type Host, thisHost } from '../host.ts';
import {
  askedNetworks,
  badOption,
  checkHostname,
  checkSysctl,
  type IdRange,
  networkKind,
  parseInteger,
  parseSecurityOptions,
  parseSignal,
  refuseNul,
  resolveCapabilities,
  resolveUser,
  type SeccompChoice,
  type SecurityOptions,
} from '../options/index.ts';
import type { RunOptions } from '../run-options.ts';
import type { VolumeUse } from '../volume/use.ts';
import { resolveCommand } from './command.ts';
import { buildDevices } from './devices.ts';
import { buildEnvironment } from './environment.ts';
import { buildFiles } from './files.ts';
import { checkImageConfig, type ImageConfig } from './image-config.ts';
import { buildRlimits } from './limits.ts';
import { mappedUser } from './mapped-user.ts';
import { buildMounts } from './mounts.ts';
import { buildNamespaces } from './namespaces.ts';
import { buildResources } from './resources.ts';
import { maskedPaths, readonlyPaths } from './system-paths.ts';

export interface SpecInput {
  /** The container's id, 64 hexadecimal digits. */
  id: string;
  options: RunOptions;
  image: { config: ImageConfig };
  /** What was given after the image; may be empty. */
  command: readonly string[];
  /** A file of the image, resolved inside it; undefined where there is none. For /etc/passwd and /etc/group. */
  readImageFile: (path: string, maximumBytes: number) => Buffer | undefined;
  /** The ranges of host ids that running containers have, for `--userns auto`. Default: none. */
  idRangesInUse?: () => readonly IdRange[];
  /** The host name of the container whose network is shared: `container:NAME`. */
  sharedHostname?: (mode: string) => string | undefined;
  /** A name for a volume that was given none. Default: 64 random hexadecimal digits. */
  newVolumeName?: () => string;
  /** Default: this machine. */
  host?: Host;
}

export interface BuiltSpec {
  /** Complete but for `root.path`, which is `rootfs`, and `linux.seccomp`. */
  spec: Spec;
  seccomp: SeccompChoice;
  /** /etc/hostname, /etc/hosts and /etc/resolv.conf, mounted at their places without being part of the image. */
  files: ProvidedFile[];
  /** A number. Default 15, SIGTERM. */
  stopSignal: number;
  /** Seconds; -1 for ever. */
  stopTimeout: number;
  /** Whether a reaper is to be PID 1: asked for, and there is a PID namespace to be the first of. */
  init: boolean;
  /** Those that are mounted, to be made where they are not there. */
  volumes?: VolumeUse[];
  /** Volumes of the image at places of the kernel's own, such as /proc: there they are directories and no more. */
  directories?: string[];
}

/**
 * Options and an image's config as an OCI specification, with Docker's defaults and Docker's meanings. Nothing is changed anywhere.
 *
 * @throws BAD_OPTION, BAD_IMAGE, NO_COMMAND, NO_USER, NO_BIND_SOURCE, NO_IDS
 */
export function buildSpec(input: SpecInput): BuiltSpec {
  const { id, options } = input;
  const host = input.host ?? thisHost;
  const image = checkImageConfig(input.image.config);
  const security = parseSecurityOptions('--security-opt', options.securityOpt ?? []);
  const namespaces = buildNamespaces(options, id, input.idRangesInUse ?? (() => []), host);
  const hostname = resolveHostname(options, id, host, input.sharedHostname);
  const resolved = resolveUser(
    options.user ?? image.User ?? '',
    imageText(input, '/etc/passwd'),
    imageText(input, '/etc/group'),
    options.groupAdd,
  );
  const user = mappedUser(resolved, namespaces);
  const mapsGroup5 = namespaces.gidMappings?.some(
    (map) => map.containerID <= 5 && map.containerID + map.size > 5,
  );
  const imageVolumes = Object.keys(image.Volumes ?? {});
  const { mounts, volumes } = buildMounts(
    options,
    {
      volumes: imageVolumes.filter((path) => !isKernelPlace(path)),
      newName: input.newVolumeName ?? (() => randomHex(64)),
      mapped: namespaces.uidMappings !== undefined,
    },
    mapsGroup5 ?? true,
    host,
  );
  const { devices, rules } = buildDevices(options, host);
  const unmasked = options.privileged === true || security.systemPathsUnconfined;
  const propagation = rootPropagation(mounts.flatMap((mount) => mount.options ?? []));
  const apparmor = apparmorProfile(security, host);
  const spec: Spec = {
    ociVersion: '1.2.0',
    root: { path: 'rootfs', ...(options.readOnly && { readonly: true }) },
    ...(options.uts !== 'host' && { hostname }),
    ...(options.domainname && { domainname: checkHostname('--domainname', options.domainname) }),
    process: {
      terminal: options.tty === true,
      user: { uid: user.uid, gid: user.gid, additionalGids: user.additionalGids },
      args: resolveCommand(options.entrypoint, input.command, image),
      env: buildEnvironment(options, image.Env ?? [], { hostname, home: user.home }, host),
      cwd: workingDirectory(options.workdir, image.WorkingDir),
      capabilities: capabilitySets(options, user.uid),
      rlimits: buildRlimits(options.ulimits ?? [], host),
      noNewPrivileges: security.noNewPrivileges,
      ...(apparmor !== undefined && { apparmorProfile: apparmor }),
      ...(options.oomScoreAdj !== undefined && {
        oomScoreAdj: parseInteger('--oom-score-adj', options.oomScoreAdj, -1000, 1000, '500'),
      }),
    },
    mounts,
    linux: {
      ...namespaces,
      devices,
      cgroupsPath: posix.join(cgroupParent(options.cgroupParent), id),
      resources: { devices: rules, ...buildResources(options, host) },
      sysctl: sysctls(options, namespaces.uidMappings !== undefined, host),
      maskedPaths: unmasked ? [] : maskedPaths(host),
      readonlyPaths: unmasked ? [] : [...readonlyPaths],
      ...(propagation && { rootfsPropagation: propagation }),
    },
  };
  const mounted = new Set(mounts.map((mount) => mount.destination));
  const directories = imageVolumes.filter((path) => isKernelPlace(path) && !mounted.has(path));
  return {
    spec,
    // Docker filters a privileged container's calls only where a profile was named.
    seccomp: security.seccomp ?? { kind: options.privileged ? 'unconfined' : 'default' },
    files: buildFiles(hostname, options, mounted, host),
    stopSignal: stopSignal(options.stopSignal, image.StopSignal),
    stopTimeout: parseInteger('--stop-timeout', options.stopTimeout ?? 10, -1, 2147483, '10'),
    init: options.init === true && options.pid !== 'host',
    ...(volumes.length > 0 && { volumes }),
    ...(directories.length > 0 && { directories }),
  };
}

function isKernelPlace(path: string): boolean {
  return /^\/(proc|sys|dev)(\/|$)/.test(path);
}

/** A megabyte holds 20,000 users; what is longer is refused by the reader. */
function imageText(input: SpecInput, path: string): string | undefined {
  return input.readImageFile(path, 1024 * 1024)?.toString('utf8');
}

/** The id's first twelve digits, as in Docker; the host's own where the container shares its network or its name. */
function resolveHostname(
  options: RunOptions,
  id: string,
  host: Host,
  shared: SpecInput['sharedHostname'],
): string {
  if (options.uts === 'host') {
    for (const [flag, value] of [
      ['--hostname', options.hostname],
      ['--domainname', options.domainname],
    ] as const) {
      if (value)
        throw badOption(flag, value, 'cannot be combined with --uts host, whose name it would change');
    }
    return host.hostname();
  }
  if (networkKind(options) === 'container') {
    if (options.hostname)
      throw badOption('--hostname', options.hostname, 'it has that of the container whose network it shares');
    return shared?.(askedNetworks(options)[0] as string) ?? host.hostname();
  }
  if (options.hostname) return checkHostname('--hostname', options.hostname);
  return networkKind(options) === 'host' ? host.hostname() : id.slice(0, 12);
}

function workingDirectory(asked: string | undefined, image: string | undefined): string {
  if (asked) {
    refuseNul('--workdir', asked);
    if (!asked.startsWith('/')) throw badOption('--workdir', asked, 'must be an absolute path', '/srv');
  }
  const path = posix.join('/', asked || image || '/');
  return path === '/' ? path : path.replace(/\/$/, '');
}

/**
 * Root has what the container may have. Any other user has nothing, but a setuid program may get it: hence the bounding set. Inheritable and ambient
 * sets are empty: CVE-2022-24769.
 */
function capabilitySets(options: RunOptions, uid: number): Capabilities {
  const all = options.privileged
    ? [...CAPABILITIES]
    : resolveCapabilities(options.capAdd ?? [], options.capDrop ?? []);
  const own = uid === 0 ? all : [];
  return { bounding: all, effective: own, inheritable: [], permitted: own, ambient: [] };
}

function apparmorProfile(security: SecurityOptions, host: Host): string | undefined {
  const profile = security.apparmor;
  if (profile === undefined) return undefined;
  if (host.readText('/sys/module/apparmor/parameters/enabled')?.trim() === 'Y') return profile;
  if (profile === 'unconfined') return undefined;
  throw badOption('--security-opt', `apparmor=${profile}`, 'AppArmor is not enabled on this host');
}

/** A path below the root of the cgroup tree. `..` would leave it. */
function cgroupParent(asked: string | undefined): string {
  if (!asked) return '/tsbox';
  refuseNul('--cgroup-parent', asked);
  if (asked.split('/').includes('..') || /[\r\n]/.test(asked)) {
    throw badOption('--cgroup-parent', asked, 'not a path in the cgroup tree', '/batch');
  }
  return posix.join('/', asked);
}

/** Docker's defaults, which let every user ping and serve low ports in a network of the container's own, and then those asked for. */
function sysctls(options: RunOptions, ownUsers: boolean, host: Host): Record<string, string> {
  const kind = networkKind(options);
  const own = { network: kind === 'none' || kind === 'networks', ipc: options.ipc !== 'host' };
  const values: Record<string, string> = {};
  const offer = (name: string, value: string) => {
    if (host.exists(`/proc/sys/${name.replaceAll('.', '/')}`)) values[name] = value;
  };
  // The kernel refuses a range with groups that a user namespace does not map.
  if (own.network && !ownUsers) offer('net.ipv4.ping_group_range', '0 2147483647');
  if (own.network) offer('net.ipv4.ip_unprivileged_port_start', '0');
  for (const [name, value] of Object.entries(options.sysctls ?? {})) {
    checkSysctl('--sysctl', name, value, own);
    values[name] = value;
  }
  return values;
}

/** A mount can pass on only what the root above it passes on, so the most open of the mounts decides, as in Docker. */
function rootPropagation(words: string[]): string | undefined {
  if (words.includes('shared') || words.includes('rshared')) return 'shared';
  return words.includes('slave') || words.includes('rslave') ? 'rslave' : undefined;
}

/** What an image says is no signal is ignored, as in Docker; what a person says is an error. */
function stopSignal(asked: string | undefined, image: string | undefined): number {
  if (asked) return parseSignal('--stop-signal', asked);
  try {
    return parseSignal('StopSignal', image ?? 'SIGTERM');
  } catch {
    return 15;
  }
}
