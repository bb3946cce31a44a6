/**
 * A bundle's `config.json`, of which every part is a stranger's: checked for type, range, encoding and size, and taken over part by part. An error names
 * the part by its path.
 */
import { realpathSync, statSync } from 'node:fs';
import { join, posix, resolve } from 'node:path';
import type { Hook, Mount, Spec } from '../../runtime/spec.ts';
import { mappings, readLinux } from './linux.ts';
import { readProcess } from './process.ts';
import { parseBounded, readBounded } from './read-file.ts';
import { bool, listOf, mapOf, path, quote, refuse, shape, text, U32 } from './readers.ts';
import { OCI_VERSION } from './version.ts';

export { readProcess } from './process.ts';
export { readResources } from './resources.ts';

export const HOOK_KINDS = [
  'prestart',
  'createRuntime',
  'createContainer',
  'startContainer',
  'poststart',
  'poststop',
] as const;
export type Hooks = Partial<Record<(typeof HOOK_KINDS)[number], Hook[]>>;

/** A specification, and what src/runtime/ leaves to who calls it. */
export interface Config extends Spec {
  hooks: Hooks;
}

/**
 * Reads the configuration of a bundle. What it means is not looked at here, but for paths of the bundle, which become absolute.
 *
 * @param bundle an absolute directory without symlinks
 * @throws {TsboxError} BAD_CONFIG with exit code 1
 */
export function readConfig(bundle: string): Config {
  return parseConfig(readJson(join(bundle, 'config.json')), bundle);
}

/** JSON of a bounded size in UTF-8, from a regular file. @throws {TsboxError} BAD_CONFIG */
export function readJson(file: string): unknown {
  return parseBounded(readBounded(file), file);
}

/** @param value what JSON says */
export function parseConfig(value: unknown, bundle: string): Config {
  const found = CONFIG(value, '');
  checkVersion(found.ociVersion);
  const linux = found.linux ?? readLinux({}, 'linux');
  if (!linux.namespaces.some(({ type }) => type === 'mount'))
    refuse('linux.namespaces', 'a container without a mount namespace of its own is not supported');
  const isOwn = (kind: string) => linux.namespaces.some(({ type }) => type === kind);
  for (const name of ['hostname', 'domainname'] as const)
    if (found[name] && !isOwn('uts')) refuse(name, 'needs a UTS namespace, or it would be the host’s');
  const root = resolve(bundle, found.root.path);
  const config: Config = {
    ociVersion: found.ociVersion,
    root: {
      path: realRoot(root),
      ...(found.root.readonly !== undefined && { readonly: found.root.readonly }),
    },
    ...(found.hostname && { hostname: found.hostname }),
    ...(found.domainname && { domainname: found.domainname }),
    // Needed only when it starts (config.md), and then not there: what is made can as well say so.
    process: found.process ?? refuse('process', 'is missing'),
    mounts: (found.mounts ?? []).map((mount, index) => readMount(mount, bundle, `mounts[${index}]`)),
    linux,
    annotations: found.annotations ?? {},
    hooks: found.hooks ?? {},
  };
  return config;
}

function checkVersion(version: string): void {
  const [, major] = /^(\d{1,6})\.\d{1,6}\.\d{1,6}(?:[-+][0-9A-Za-z.+-]+)?$/.exec(version) ?? [];
  if (major === undefined)
    refuse('ociVersion', `expected a version such as ${OCI_VERSION}, found ${quote(version)}`);
  if (major !== '1')
    refuse('ociVersion', `${version} is not supported: this runtime implements ${OCI_VERSION}`);
}

/** Without symlinks: where one comes in its way later, the plan finds it (RESOLVE_NO_SYMLINKS). */
function realRoot(root: string): string {
  try {
    const real = realpathSync(root);
    if (statSync(real).isDirectory()) return real;
  } catch (error) {
    refuse(
      'root.path',
      `${root}: ${(error as NodeJS.ErrnoException).code === 'ENOENT' ? 'no such file or directory' : (error as Error).message}`,
    );
  }
  refuse('root.path', `${root} is not a directory`);
}

function readMount(mount: ReturnType<typeof MOUNT>, bundle: string, at: string): Mount {
  const { destination, type, source, options = [], uidMappings, gidMappings } = mount;
  if ((uidMappings === undefined) !== (gidMappings === undefined))
    refuse(`${at}.${uidMappings ? 'gidMappings' : 'uidMappings'}`, 'is missing: both or none');
  const bind = type === 'bind' || options.includes('bind') || options.includes('rbind');
  if (bind && !source) refuse(`${at}.source`, 'is missing');
  const where = posix.normalize(`/${destination}`);
  if (where === '/') refuse(`${at}.destination`, 'the root cannot be mounted over');
  return {
    destination: where.length > 1 && where.endsWith('/') ? where.slice(0, -1) : where,
    ...(type && { type: bind ? 'bind' : type }),
    ...(source && { source: bind ? resolve(bundle, source) : source }),
    options: bind ? options.filter((word) => word !== 'tmpcopyup') : options,
    ...(uidMappings && { uidMappings }),
    ...(gidMappings && { gidMappings }),
  };
}

const MOUNT = shape(
  { destination: path() },
  {
    type: text({ most: 255 }),
    source: text({ most: 4095 }),
    options: listOf(text({ most: 65536, empty: false }), 1024),
    uidMappings: mappings,
    gidMappings: mappings,
  },
);

const hooks = listOf(
  shape(
    { path: path({ absolute: true }) },
    {
      args: listOf(text()),
      env: listOf(text()),
      timeout: (value, at) => {
        const seconds = U32(value, at);
        if (seconds === 0) refuse(at, 'must be greater than 0');
        return seconds;
      },
    },
  ),
  1024,
);

const CONFIG = shape(
  { ociVersion: text({ most: 128 }), root: shape({ path: path() }, { readonly: bool }) },
  {
    process: readProcess,
    hostname: text({ most: 64 }),
    domainname: text({ most: 64 }),
    mounts: listOf(MOUNT, 10_000),
    annotations: mapOf(text()),
    linux: readLinux,
    hooks: shape(
      {},
      {
        prestart: hooks,
        createRuntime: hooks,
        createContainer: hooks,
        startContainer: hooks,
        poststart: hooks,
        poststop: hooks,
      },
    ),
  },
);
