import type { RunArguments } from './arguments.ts';
import type { Flag } from './flag.ts';
import { RUN_FLAGS } from './flags.ts';

/**
 * The arguments of `tsbox run` where they are plainly written, as nearly always: known flags with their values, then the image. Undefined
 * for anything else (other spellings, `--help`, a mistake), which src/cli/run/arguments.ts reads and answers with
 * commander. That takes 5 ms, a tenth of the whole command.
 *
 * @throws {TsboxError} for a value that its flag cannot have
 */
export function readPlainArguments(args: readonly string[]): RunArguments | undefined {
  const given = new Map<string, string[]>();
  let at = 0;
  let detach = false;
  for (; args[at]?.startsWith('-'); at++) {
    if (args[at] === '-d' || args[at] === '--detach') {
      detach = true;
      continue;
    }
    const taken = takeFlag(args[at] as string, args[at + 1], given);
    if (taken === undefined) return undefined;
    if (taken === 'with the next') at++;
  }
  const image = args[at];
  if (image === undefined) return undefined;
  const options = readOptions(given);
  return {
    image,
    command: args.slice(at + 1),
    options,
    profile: false,
    sigProxy: true,
    ...(detach && { detach }),
    attach: new Set(options.interactive ? ['stdin', 'stdout', 'stderr'] : ['stdout', 'stderr']),
  };
}

/** Notes the values of one word: `--rm`, `--memory=64m`, `--memory 64m`, `-m 64m`, `-i`, `-it`. */
function takeFlag(
  word: string,
  next: string | undefined,
  given: Map<string, string[]>,
): 'alone' | 'with the next' | undefined {
  const equals = word.startsWith('--') ? word.indexOf('=') : -1;
  const name = equals < 0 ? word : word.slice(0, equals);
  const option = optionOf(name);
  if (option === undefined) return takeGroup(word, given) ? 'alone' : undefined;
  const value = equals < 0 ? next : word.slice(equals + 1);
  if (!hasValue(option)) {
    if (equals < 0) note(given, option, 'true');
    return equals < 0 ? 'alone' : undefined;
  }
  if (value === undefined) return undefined;
  note(given, option, value);
  return equals < 0 ? 'with the next' : 'alone';
}

/** `-it`: switches only. */
function takeGroup(word: string, given: Map<string, string[]>): boolean {
  if (!/^-[a-z]{2,}$/i.test(word)) return false;
  const options = [...word.slice(1)].map((letter) => optionOf(`-${letter}`));
  if (!options.every((option) => option !== undefined && !hasValue(option))) return false;
  for (const option of options) note(given, option as string, 'true');
  return true;
}

const FLAGS = RUN_FLAGS as Record<string, Flag<unknown>>;

/** The option of the library that `--memory` or `-m` sets. */
function optionOf(name: string): string | undefined {
  for (const option in FLAGS) {
    const { flags } = FLAGS[option] as Flag<unknown>;
    const at = flags.indexOf(name);
    if (at < 0 || (at > 0 && flags[at - 1] !== ' ')) continue;
    const end = flags[at + name.length];
    if (end === undefined || end === ' ' || end === ',') return option;
  }
  return undefined;
}

function hasValue(option: string): boolean {
  return FLAGS[option]?.flags.includes('<') === true;
}

function note(given: Map<string, string[]>, option: string, value: string): void {
  given.set(option, [...(given.get(option) ?? []), value]);
}

function readOptions(given: Map<string, string[]>): RunArguments['options'] {
  const options: Record<string, unknown> = {};
  for (const [option, values] of given) {
    const { flags, read } = FLAGS[option] as Flag<unknown>;
    options[option] = read(values, flags.slice(flags.indexOf('--')).split(' ', 1)[0] as string);
  }
  return options;
}
