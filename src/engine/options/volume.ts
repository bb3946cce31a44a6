import type { Mount } from '../../runtime/spec.ts';
import { didYouMean } from '../../suggest.ts';
import type { Host } from '../host.ts';
import type { VolumeUse } from '../volume/use.ts';
import { badOption } from './bad-option.ts';
import { bindMount, propagations, sourcePath } from './bind.ts';
import { checkDestination } from './destination.ts';

/**
 * `SRC:DST[:OPTIONS]`: a path as a bind mount, submounts included; a name as the volume of that name. `DST` alone is a volume without a name. OPTIONS, with commas: `ro` or `rw`; one of the propagations
 * `[r]private`, `[r]shared`, `[r]slave` (default rprivate); `nosuid`, `nodev`, `noexec`; `bind` for no submounts.
 * `nocopy` leaves an empty volume empty, whatever the image has there. What concerns SELinux labels (`z`, `Z`) and Docker Desktop (`cached` and such) is
 * taken and changes nothing.
 *
 * Source: moby, volume/mounts/linux_parser.go; podman-run(1), --volume.
 * @throws BAD_OPTION, NO_BIND_SOURCE
 */
export function parseVolume(flag: string, value: string, host: Host): Mount | UnnamedUse {
  const [source = '', target, words = '', ...rest] = value.split(':');
  if (source === '' || target === '' || rest.length > 0) {
    throw badOption(flag, value, 'not of the form SRC:DST[:OPTIONS]', example);
  }
  if (target === undefined) return { destination: checkDestination(flag, value, source, example) };
  const destination = checkDestination(flag, value, target, example);
  const { access, propagation, recursive, copy, options } = readWords(flag, value, words);
  if (isVolumeName(source)) {
    if (propagation !== undefined || recursive !== undefined)
      throw badOption(
        flag,
        value,
        'a volume takes ro or rw, nocopy, nosuid, nodev and noexec',
        'data:/data:ro',
      );
    return { name: source, destination, ...volumeOptions(access === 'ro', copy === 'nocopy', options) };
  }
  const bind = {
    source: sourcePath(flag, value, source, host),
    destination,
    readOnly: access === 'ro',
    recursive: recursive !== 'bind',
    readOnlyRecursive: true,
    propagation: propagation ?? 'rprivate',
    options,
  };
  return bindMount(flag, value, bind, host);
}

/** A volume as it was asked for; without a name, where none was given. */
export type UnnamedUse = Omit<VolumeUse, 'name'> & { name?: string };

/** What is no path. Docker's rule. */
export function isVolumeName(source: string): boolean {
  return /^[a-zA-Z0-9][a-zA-Z0-9_.-]{1,199}$/.test(source);
}

/** Only what was asked for. */
export function volumeOptions(readOnly: boolean, noCopy: boolean, options: string[]): Partial<VolumeUse> {
  return {
    ...(readOnly && { readOnly }),
    ...(noCopy && { noCopy }),
    ...(options.length > 0 && { options }),
  };
}

const example = '/srv/data:/data:ro';
const flags = ['nosuid', 'nodev', 'noexec', 'suid', 'dev', 'exec'];
const ignored = ['z', 'Z', 'cached', 'delegated', 'consistent'];

function readWords(flag: string, value: string, words: string) {
  let access: string | undefined;
  let propagation: string | undefined;
  let recursion: string | undefined;
  let copy: string | undefined;
  const options: string[] = [];
  const once = (before: string | undefined, word: string) => {
    if (before !== undefined && before !== word) {
      throw badOption(flag, value, `${before} and ${word} exclude each other`, example);
    }
    return word;
  };
  for (const word of words === '' ? [] : words.split(',')) {
    if (word === 'ro' || word === 'rw') access = once(access, word);
    else if (propagations.includes(word)) propagation = once(propagation, word);
    else if (word === 'bind' || word === 'rbind') recursion = once(recursion, word);
    else if (word === 'nocopy' || word === 'copy') copy = once(copy, word);
    else if (flags.includes(word)) options.push(word);
    else if (!ignored.includes(word)) {
      const known = ['ro', 'rw', 'bind', 'rbind', 'nocopy', 'copy', ...propagations, ...flags, ...ignored];
      throw badOption(
        flag,
        value,
        `no such option: ${JSON.stringify(word)}${didYouMean(word, known)}`,
        example,
      );
    }
  }
  return { access, propagation, recursive: recursion, copy, options };
}
