import { posix } from 'node:path';
import { TsboxError } from '../../kernel/index.ts';
import type { Mount } from '../../runtime/spec.ts';
import type { Host } from '../host.ts';
import { badOption, printable, refuseNul } from './bad-option.ts';

export const propagations: readonly string[] = [
  'private',
  'rprivate',
  'shared',
  'rshared',
  'slave',
  'rslave',
];

/** What `--volume` and `--mount type=bind` have in common. */
export interface Bind {
  source: string;
  destination: string;
  readOnly: boolean;
  /** Submounts of the source come along. */
  recursive: boolean;
  /** Whether submounts become read-only with it. */
  readOnlyRecursive: boolean;
  propagation: string;
  /** Further words of mount(8), such as nosuid. */
  options: string[];
}

/**
 * A bind mount as the specification has it.
 *
 * @throws NO_BIND_SOURCE where the source is not there
 * @throws BAD_OPTION for shared or slave propagation of a source whose mount is neither: it would silently do nothing
 */
export function bindMount(flag: string, given: string, bind: Bind, host: Host): Mount {
  if (host.status(bind.source) === undefined) {
    throw new TsboxError(
      'NO_BIND_SOURCE',
      `${flag} ${printable(given)}: ${printable(bind.source)} is not there`,
      { advice: `Make it first: mkdir -p ${printable(bind.source)}` },
    );
  }
  checkPropagation(flag, given, bind, host);
  const options = [bind.recursive ? 'rbind' : 'bind'];
  // Read-only for the submounts too: `-v /:/host:ro` is meant to change nothing on the host, wherever that is mounted.
  if (bind.readOnly) options.push(bind.recursive && bind.readOnlyRecursive ? 'rro' : 'ro');
  options.push(bind.propagation, ...bind.options);
  return { destination: bind.destination, type: 'bind', source: bind.source, options };
}

/** Absolute, from what may be relative to where tsbox was called, as Docker 23 takes it: only with a leading dot. */
export function sourcePath(flag: string, given: string, source: string, host: Host): string {
  refuseNul(flag, source);
  if (/^\.{1,2}(\/|$)/.test(source)) return posix.resolve(host.workingDirectory(), source);
  if (source.startsWith('/')) return posix.resolve(source);
  throw badOption(
    flag,
    given,
    `${printable(source)} is neither an absolute path nor the name of a volume (2 to 200 letters, digits, _, . and -); ./${printable(source)} is a path from here`,
  );
}

function checkPropagation(flag: string, given: string, bind: Bind, host: Host): void {
  const kind = bind.propagation.replace(/^r/, '');
  if (kind === 'private') return;
  const mount = mountOf(
    host.realPath(bind.source) ?? bind.source,
    host.readText('/proc/self/mountinfo') ?? '',
  );
  const fits = kind === 'shared' ? / shared:\d/ : / (shared|master):\d/;
  if (mount !== undefined && !fits.test(mount.tags)) {
    throw badOption(
      flag,
      given,
      `${printable(bind.source)} is on the mount ${printable(mount.point)}, which is not ${kind === 'shared' ? 'shared' : 'shared or slave'}`,
    );
  }
}

/** The mount that a path is on: of the longest mount point above it, the last in the list, which lies on top. proc_pid_mountinfo(5). */
function mountOf(path: string, mountinfo: string): { point: string; tags: string } | undefined {
  let best: { point: string; tags: string } | undefined;
  for (const line of mountinfo.split('\n')) {
    const fields = line.split(' - ')[0]?.split(' ') ?? [];
    const point = (fields[4] ?? '').replace(/\\([0-7]{3})/g, (_, octal) =>
      String.fromCharCode(Number.parseInt(octal, 8)),
    );
    if (point === '' || point.length < (best?.point.length ?? 0)) continue;
    if (point === '/' || path === point || path.startsWith(`${point}/`)) {
      best = { point, tags: ` ${fields.slice(6).join(' ')}` };
    }
  }
  return best;
}
