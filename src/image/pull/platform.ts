import { TsboxError } from '../../kernel/index.ts';

/** What an image is made for (OCI image-spec, image-index.md, "platform"). */
export interface Platform {
  os: string;
  architecture: string;
  /** `v7`, `v8`; empty for an architecture that has none. */
  variant: string;
}

/**
 * Reads `linux/arm64`, `linux/arm/v7`, or an architecture alone (`arm64`, for Linux). Other names of architectures are taken too, as
 * containerd takes them: `x86_64`, `aarch64`, `armhf`.
 *
 * @throws {TsboxError} BAD_PLATFORM
 */
export function parsePlatform(text: string): Platform {
  const parts = text.toLowerCase().split('/');
  if (parts.length > 3 || !parts.every((part) => /^[a-z0-9][a-z0-9_.-]{0,31}$/.test(part))) {
    throw new TsboxError('BAD_PLATFORM', `\`${text.slice(0, 100)}\` is not a platform`, {
      advice: 'a platform looks like linux/amd64 or linux/arm/v7',
    });
  }
  const [os = '', architecture, variant] = parts;
  if (architecture !== undefined) return normalize({ os, architecture, variant: variant ?? '' });
  if (KNOWN_SYSTEMS.has(os)) return { ...machinePlatform(), os };
  return normalize({ os: 'linux', architecture: os, variant: '' });
}

/** The platform of this machine. */
export function machinePlatform(): Platform {
  return normalize({ os: 'linux', architecture: process.arch, variant: '' });
}

/** One spelling for each platform: `arm64` is `arm64/v8`, and `amd64` is `amd64/v1`, whose variants are left out. */
export function normalize({ os, architecture, variant }: Platform): Platform {
  const [name, implied] = ALIASES[architecture] ?? [architecture, ''];
  const given = /^\d/.test(variant) ? `v${variant}` : variant || implied;
  const base = BASE_VARIANTS[name];
  if (name === 'arm') return { os, architecture: name, variant: given || 'v7' };
  return { os, architecture: name, variant: given === base ? '' : given };
}

/**
 * What a processor can run, the best first, by the rules of containerd (platforms.Only): a 64-bit one also what was made for its 32-bit
 * ancestor, and each variant also the ones below it.
 */
export function runnable({ os, architecture, variant }: Platform): Platform[] {
  const of = (name: string, variants: readonly string[]) =>
    variants.map((each) => normalize({ os, architecture: name, variant: each }));
  const level = Number(/^v(\d+)/.exec(variant)?.[1] ?? (architecture === 'arm64' ? 8 : 1));
  if (architecture === 'amd64') return [...of('amd64', down(level, 1)), ...of('386', [''])];
  if (architecture === 'arm') return of('arm', down(Math.min(level, 8), 5));
  if (architecture === 'arm64') {
    const own = variant === '' || variant === 'v8' ? ['v8'] : [variant, 'v8'];
    return [...of('arm64', own), ...of('arm', down(8, 5))];
  }
  return [normalize({ os, architecture, variant })];
}

/** `linux/arm/v7` */
export function formatPlatform({ os, architecture, variant }: Platform): string {
  return [os, architecture, variant].filter((part) => part !== '').join('/');
}

function down(from: number, to: number): string[] {
  const count = Math.min(Math.max(0, from - to + 1), 16);
  return Array.from({ length: count }, (_, index) => `v${from - index}`);
}

const KNOWN_SYSTEMS = new Set(['linux', 'windows', 'darwin', 'freebsd']);
/** Node's names and the kernel's, and the variant that they imply. */
const ALIASES: Record<string, [architecture: string, variant: string]> = {
  x64: ['amd64', ''],
  x86_64: ['amd64', ''],
  'x86-64': ['amd64', ''],
  aarch64: ['arm64', ''],
  i386: ['386', ''],
  ia32: ['386', ''],
  armhf: ['arm', 'v7'],
  armel: ['arm', 'v6'],
};
const BASE_VARIANTS: Record<string, string> = { amd64: 'v1', arm64: 'v8' };
