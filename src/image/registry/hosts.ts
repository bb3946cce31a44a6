import { readFileSync } from 'node:fs';
import { TsboxError } from '../../kernel/index.ts';
import { isLoopback } from './http/index.ts';
import { parseJsonObject } from './json.ts';
import type { Settings } from './settings.ts';
import type { RegistryOptions } from './types.ts';

/** A server that has a repository: the registry itself or a mirror of it. */
export interface Host {
  /** As in a reference, and what credentials are kept under: `docker.io`, `mirror.example:5000`. */
  registry: string;
  /** `registry-1.docker.io` for docker.io, otherwise the same. */
  address: string;
  /** What comes between `/v2/` and the repository's path, for mirrors that keep several registries: `hub/`. */
  prefix: string;
  /** Which to try, in this order. */
  schemes: readonly ('https' | 'http')[];
  verify: boolean;
  /** A mirror gets no credentials but those that are its own. */
  isMirror: boolean;
}

/**
 * The mirrors of a registry, in order, and the registry itself last. From `/etc/tsbox/registries.json`, or the file that `TSBOX_REGISTRIES` names:
 *
 *     { "registries": { "docker.io": { "mirrors": ["https://mirror.example", "cache.example:5000/hub"] }, "old.example": { "insecure": true } } }
 *
 * @throws {TsboxError} BAD_REGISTRIES
 */
export function hostsOf(registry: string, options: RegistryOptions, settings: Settings): Host[] {
  const path = settings.environment.TSBOX_REGISTRIES ?? '/etc/tsbox/registries.json';
  const registries = readRegistries(path);
  const insecure = (host: string) => registries[host]?.insecure === true;
  const mirrors = (registries[registry]?.mirrors ?? []).map((text) => mirror(text, path, insecure, options));
  return [...mirrors, host(registry, insecure(registry), options)];
}

/** One server, without the configuration's mirrors. */
export function host(registry: string, insecure: boolean, options: RegistryOptions): Host {
  const verify = verifies(registry, options) && !insecure;
  return {
    registry,
    address: registry === 'docker.io' ? 'registry-1.docker.io' : registry,
    prefix: '',
    // As Docker does: TLS where there is any, and without a need for it, plain HTTP too.
    schemes: verify ? ['https'] : ['https', 'http'],
    verify,
    isMirror: false,
  };
}

/** Whether a certificate has to be right: always, unless the user says otherwise, or it is this machine. */
export function verifies(address: string, options: RegistryOptions): boolean {
  return options.tlsVerify ?? !isLoopback(new URL(`http://${address}`).hostname.replace(/^\[|\]$/g, ''));
}

function mirror(
  text: string,
  path: string,
  insecure: (host: string) => boolean,
  options: RegistryOptions,
): Host {
  const [, scheme, address = '', prefix = ''] =
    /^(?:(https?):\/\/)?([^/]+)((?:\/[^/?#]+)*)\/?$/.exec(text) ?? [];
  if (!URL.canParse(`http://${address}`) || /[@?#\s]/.test(address))
    throw bad(
      path,
      `the mirror ${JSON.stringify(text)} is no server`,
      'it looks like https://mirror.example:5000',
    );
  const plain = host(address, insecure(address), options);
  const schemes = scheme === undefined ? plain.schemes : [scheme as 'https' | 'http'];
  return { ...plain, prefix: prefix === '' ? '' : `${prefix.slice(1)}/`, schemes, isMirror: true };
}

type Registries = Record<string, { mirrors?: string[]; insecure?: boolean }>;

function readRegistries(path: string): Registries {
  let bytes: Buffer;
  try {
    bytes = readFileSync(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return {};
    throw bad(path, (error as Error).message);
  }
  const registries = parseJsonObject(bytes)?.registries;
  if (typeof registries !== 'object' || registries === null || Array.isArray(registries))
    throw bad(path, 'it has no object `registries`');
  for (const [name, entry] of Object.entries(registries)) {
    const { mirrors = [], insecure = false } = Object(entry) as Record<string, unknown>;
    if (typeof insecure !== 'boolean')
      throw bad(path, `\`insecure\` of ${JSON.stringify(name)} is not true or false`);
    if (!Array.isArray(mirrors) || !mirrors.every((mirror) => typeof mirror === 'string'))
      throw bad(path, `\`mirrors\` of ${JSON.stringify(name)} is no list of addresses`);
  }
  return Object.assign(Object.create(null), registries);
}

function bad(path: string, message: string, advice?: string): TsboxError {
  return new TsboxError('BAD_REGISTRIES', `\`${path}\`: ${message}`, advice === undefined ? {} : { advice });
}
