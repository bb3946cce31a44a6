import type { Mount } from '../../runtime/spec.ts';
import { didYouMean } from '../../suggest.ts';
import type { Host } from '../host.ts';
import { badOption } from './bad-option.ts';
import { bindMount, propagations, sourcePath } from './bind.ts';
import { checkDestination } from './destination.ts';

/**
 * `SRC:DST[:OPTIONS]` as a bind mount, submounts included. OPTIONS, with commas: `ro` or `rw`; one of the propagations
 * `[r]private`, `[r]shared`, `[r]slave` (default rprivate); `nosuid`, `nodev`, `noexec`; `bind` for no submounts.
 * What concerns SELinux labels (`z`, `Z`), volume drivers (`nocopy`) and Docker Desktop (`cached` and such) is taken and changes nothing.
 *
 * Source: moby, volume/mounts/linux_parser.go; podman-run(1), --volume.
 * @throws BAD_OPTION, NO_BIND_SOURCE
 */
export function parseVolume(flag: string, value: string, host: Host): Mount {
  const [source = '', target, words = '', ...rest] = value.split(':');
  if (source === '' || target === '' || rest.length > 0) {
    throw badOption(flag, value, 'not of the form SRC:DST[:OPTIONS]', example);
  }
  if (target === undefined) {
    throw badOption(flag, value, 'anonymous volumes are not there yet; give SRC:DST', example);
  }
  const destination = checkDestination(flag, value, target, example);
  const { access, propagation, recursive, options } = readWords(flag, value, words);
  const bind = {
    source: sourcePath(flag, value, source, host),
    destination,
    readOnly: access === 'ro',
    recursive,
    readOnlyRecursive: true,
    propagation,
    options,
  };
  return bindMount(flag, value, bind, host);
}

const example = '/srv/data:/data:ro';
const flags = ['nosuid', 'nodev', 'noexec', 'suid', 'dev', 'exec'];
const ignored = ['z', 'Z', 'nocopy', 'copy', 'cached', 'delegated', 'consistent'];

function readWords(flag: string, value: string, words: string) {
  let access: string | undefined;
  let propagation: string | undefined;
  let recursion: string | undefined;
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
    else if (flags.includes(word)) options.push(word);
    else if (!ignored.includes(word)) {
      const known = ['ro', 'rw', 'bind', 'rbind', ...propagations, ...flags, ...ignored];
      throw badOption(
        flag,
        value,
        `no such option: ${JSON.stringify(word)}${didYouMean(word, known)}`,
        example,
      );
    }
  }
  return { access, propagation: propagation ?? 'rprivate', recursive: recursion !== 'bind', options };
}
