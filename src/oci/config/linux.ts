import { posix } from 'node:path';
import { TsboxError } from '../../kernel/error.ts';
import { checkSeccomp, notifies } from '../../runtime/seccomp/index.ts';
import { wasCompiled } from '../../runtime/seccomp/kept.ts';
import type { Device, Linux, NamespaceType } from '../../runtime/spec.ts';
import {
  I64,
  listOf,
  mapOf,
  path,
  quote,
  type Reader,
  refuse,
  refused,
  shape,
  text,
  U32,
  whole,
} from './readers.ts';
import { readResources } from './resources.ts';

/** What `linux` may be (config-linux.md). @throws {TsboxError} BAD_CONFIG */
export function readLinux(value: unknown, at: string): Linux {
  const found = LINUX(value, at);
  const namespaces = checkNamespaces(found.namespaces ?? [], at);
  checkMappings(found, namespaces, at);
  if (found.timeOffsets && !namespaces.some(({ type, path }) => type === 'time' && path === undefined))
    refuse(`${at}.timeOffsets`, 'need a time namespace of the container’s own');
  return {
    namespaces,
    ...(found.uidMappings && { uidMappings: found.uidMappings }),
    ...(found.gidMappings && { gidMappings: found.gidMappings }),
    ...(found.timeOffsets && { timeOffsets: found.timeOffsets }),
    devices: (found.devices ?? []).map((device, index) => readDevice(device, `${at}.devices[${index}]`)),
    ...(found.cgroupsPath && { cgroupsPath: found.cgroupsPath }),
    ...(found.resources && { resources: found.resources }),
    ...(found.sysctl && { sysctl: found.sysctl }),
    ...(found.seccomp && { seccomp: found.seccomp }),
    ...(found.rootfsPropagation && { rootfsPropagation: found.rootfsPropagation }),
    ...(found.personality && { personality: found.personality }),
    maskedPaths: found.maskedPaths ?? [],
    readonlyPaths: found.readonlyPaths ?? [],
  };
}

type Found = ReturnType<typeof LINUX>;

function checkNamespaces(found: NonNullable<Found['namespaces']>, at: string): Linux['namespaces'] {
  const seen = new Set<string>();
  return found.map(({ type, path }, index) => {
    const where = `${at}.namespaces[${index}]`;
    if (seen.has(type)) refuse(where, `a second namespace of type ${type}`);
    seen.add(type);
    if (type === 'mount' && path)
      refuse(`${where}.path`, 'a mount namespace cannot be joined', 'leave the path out');
    return { type: type as NamespaceType, ...(path && { path }) };
  });
}

function checkMappings(
  { uidMappings, gidMappings }: Found,
  namespaces: Linux['namespaces'],
  at: string,
): void {
  const user = namespaces.find(({ type }) => type === 'user');
  for (const [name, maps] of Object.entries({ uidMappings, gidMappings })) {
    if (maps?.length && user === undefined) refuse(`${at}.${name}`, 'needs a user namespace');
    if (!maps?.length && user !== undefined && user.path === undefined)
      refuse(`${at}.${name}`, 'a user namespace needs mappings');
  }
}

function readDevice(device: NonNullable<Found['devices']>[number], at: string): Device {
  const { type, major, minor } = device;
  if (type !== 'p' && (major === undefined || minor === undefined))
    refuse(`${at}.${major === undefined ? 'major' : 'minor'}`, 'is missing');
  const where = posix.normalize(device.path);
  if (where === '/' || where.endsWith('/')) refuse(`${at}.path`, `is a directory: ${quote(device.path)}`);
  // `u` is another word for `c` (mknod(1)).
  return {
    ...device,
    path: where,
    type: type === 'u' ? 'c' : (type as Device['type']),
    major: major ?? 0,
    minor: minor ?? 0,
  };
}

const mapping = shape({ containerID: U32, hostID: U32, size: whole(1, 2 ** 32 - 1) }, {});
export const mappings = listOf(mapping, 340);

const seccomp: Reader<NonNullable<Linux['seccomp']>> = (value, at) => {
  // Engines give every container the same one, with hundreds of names.
  if (wasCompiled(value)) return value;
  try {
    checkSeccomp(value, at, true);
  } catch (error) {
    const { message, advice } = error as TsboxError;
    throw new TsboxError('BAD_CONFIG', message, {
      exitCode: 1,
      cause: error,
      ...(advice !== undefined && { advice }),
    });
  }
  checkListener(value, at);
  return value;
};

/** SCMP_ACT_NOTIFY needs somebody who answers. */
function checkListener(seccomp: NonNullable<Linux['seccomp']>, at: string): void {
  const { listenerPath } = LISTENER(seccomp, at);
  const rules = seccomp.syscalls ?? [];
  for (const [index, { names, action }] of rules.entries())
    if (action === 'SCMP_ACT_NOTIFY' && names.includes('sendmsg'))
      refuse(`${at}.syscalls[${index}]`, 'SCMP_ACT_NOTIFY for sendmsg, by which the listener itself is sent');
  if (notifies(seccomp) && !listenerPath?.startsWith('/'))
    refuse(`${at}.listenerPath`, 'SCMP_ACT_NOTIFY needs the absolute path of a socket');
}

const LISTENER = shape({}, { listenerPath: text({ most: 107 }), listenerMetadata: text({ most: 30_000 }) });

/** A file of /proc/sys, and nothing beside it. */
const sysctl: Reader<Record<string, string>> = (value, at) => {
  const found = mapOf(text({ most: 4096 }), 4096)(value, at);
  for (const name of Object.keys(found))
    if (
      (!/^[A-Za-z0-9_-]+([./][A-Za-z0-9_:@-]+)+$/.test(name) &&
        !/^[A-Za-z0-9_-]+(\/[A-Za-z0-9_.:@-]+)+$/.test(name)) ||
      /(^|[./])\.\.?($|\/)/.test(name)
    )
      refuse(`${at}[${quote(name)}]`, 'is not the name of a sysctl');
  return found;
};

const offset = shape({}, { secs: I64, nanosecs: whole(0, 999_999_999) });
const NAMESPACES = ['pid', 'network', 'mount', 'ipc', 'uts', 'user', 'cgroup', 'time'];
const PROPAGATIONS = [
  'slave',
  'private',
  'shared',
  'unbindable',
  'rslave',
  'rprivate',
  'rshared',
  'runbindable',
];

const LINUX = shape(
  {},
  {
    namespaces: listOf(shape({ type: text({ oneOf: NAMESPACES }) }, { path: text({ most: 4095 }) }), 64),
    uidMappings: mappings,
    gidMappings: mappings,
    timeOffsets: shape({}, { monotonic: offset, boottime: offset }) as Reader<
      NonNullable<Linux['timeOffsets']>
    >,
    devices: listOf(
      shape(
        { type: text({ oneOf: ['c', 'b', 'u', 'p'] }), path: path({ absolute: true }) },
        {
          major: whole(0, 4095),
          minor: whole(0, 1_048_575),
          fileMode: whole(0, 0o7777),
          uid: U32,
          gid: U32,
        },
      ),
    ),
    cgroupsPath: text({ most: 4095 }),
    resources: readResources,
    sysctl,
    seccomp,
    rootfsPropagation: text({ oneOf: ['', ...PROPAGATIONS] }),
    maskedPaths: listOf(path({ absolute: true })),
    readonlyPaths: listOf(path({ absolute: true })),
    mountLabel: ((value, at) => {
      if (value !== '') refuse(at, 'SELinux labels are not supported');
      return '';
    }) as Reader<string>,
    intelRdt: refused(
      'Intel RDT is not supported',
      'leave it out, and put the container’s processes into a resctrl group by a hook',
    ),
    personality: shape(
      { domain: text({ oneOf: ['LINUX', 'LINUX32'] }) },
      {
        flags: ((value, at) =>
          Array.isArray(value) && value.length === 0
            ? []
            : refuse(at, 'personality flags are not supported')) as Reader<string[]>,
      },
    ),
  },
);
