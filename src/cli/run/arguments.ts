import { readFileSync } from 'node:fs';
import { type Command, Option } from 'commander';
import { didYouMean, type RunOptions } from '../../index.ts';
import { type CommandText, collect, defineCommand } from '../command.ts';
import { usageError } from '../usage.ts';
import type { Flag, Group } from './flag.ts';
import { RUN_FLAGS } from './flags.ts';
import { respell } from './spelling.ts';

/** What `tsbox run` was asked to do. */
export interface RunArguments {
  image: string;
  /** Empty for the image's own. */
  command: string[];
  options: RunOptions;
  /** Print the plan and run nothing. */
  explain?: 'text' | 'json';
  /** Print afterwards where the time went. */
  profile: boolean;
  /** Pass the signals that we get on to the program. */
  sigProxy: boolean;
  /** Which of the standard streams to connect. */
  attach: ReadonlySet<Stream>;
  /** Do not wait for it. */
  detach?: boolean;
  /** What to type to let go of its terminal. */
  detachKeys?: string;
}

export type Stream = 'stdin' | 'stdout' | 'stderr';

/** @throws a CommanderError or a TsboxError for a command line that cannot be meant, and to say that help was printed */
export function readRunArguments(args: readonly string[], text = TEXT): RunArguments {
  const command = defineRun(text);
  const respelled = respell(args, command.options);
  for (const name of respelled) if (isNegation(command, name)) command.addOption(new Option(name).hideHelp());
  command.parse(respelled, { from: 'user' });
  const [image = '', ...program] = command.args;
  const given: Record<string, unknown> = command.opts();
  const options = readOptions(given);
  if (typeof given.labelFile !== 'undefined')
    options.labels = { ...labelsOf(given.labelFile as string[]), ...options.labels };
  return {
    image,
    command: program,
    options,
    explain: explainFormat(given.explain),
    profile: given.profile === true,
    sigProxy: given.sigProxy !== false,
    ...(given.detach === true && { detach: true }),
    ...(given.detachKeys !== undefined && { detachKeys: String(given.detachKeys) }),
    attach: attached(given.attach as string[] | undefined, options.interactive === true),
  };
}

function defineRun(text: CommandText): Command {
  // Docker's -h is the host name.
  const command = defineCommand(text, new Option('--help', 'Print this help'))
    .argument('<image>')
    .argument('[command...]')
    .passThroughOptions();
  for (const flag of Object.values<Flag<unknown>>(RUN_FLAGS)) command.addOption(optionOf(flag));
  const more = (group: Group, flags: string, help: string) => new Option(flags, help).helpGroup(`${group}:`);
  command.addOption(
    more('Container', '--label-file <file>', 'Labels of a file, one a line').argParser(collect),
  );
  command.addOption(
    more('Terminal', '-a, --attach <stream>', 'Connect only stdin, stdout or stderr').argParser(collect),
  );
  command.addOption(more('Container', '-d, --detach', 'Start it, print its ID, and leave it alone'));
  command.addOption(
    more('Terminal', '--detach-keys <keys>', 'What to type to leave it running: ctrl-p,ctrl-q'),
  );
  command.addOption(
    more('Terminal', '--sig-proxy', 'Pass signals on to the program (default; =false for not)'),
  );
  for (const [flags, instead] of NOT_THERE) {
    const refuse = () => {
      throw usageError('run', `${flags.split(' ', 1)[0]} is not supported; ${instead}`);
    };
    command.addOption(new Option(flags).hideHelp().argParser(refuse));
  }
  const explain = more(
    'Seeing what happens',
    '--explain [format]',
    'Print the calls and messages, and make none of them',
  );
  explain.flags = '--explain[=json]';
  command.addOption(explain);
  command.addOption(
    more('Seeing what happens', '--profile', 'Print afterwards where the time went, call by call'),
  );
  return command;
}

/** What Docker has, and why not here. */
const NOT_THERE = [
  [
    '--link <container>',
    'containers of one network find each other by name: tsbox network create, --network',
  ],
  ['--link-local-ip <address>', 'addresses are chosen by --ip and --ip6'],
] as const;

const TEXT: CommandText = {
  usage: 'run [OPTIONS] IMAGE [COMMAND] [ARG…]',
  description: 'Run a program in a new container. Options after IMAGE are those of the command.',
  examples: [
    ['tsbox run -it alpine sh', 'a shell'],
    ['tsbox run -d --name web alpine httpd -f', 'in the background'],
    ['tsbox run --rm -m 64m --cpus 0.5 alpine CMD', 'with limits'],
    ['tsbox run -v "$PWD":/src -w /src alpine ls', 'with this directory inside'],
    ['tsbox run --read-only --cap-drop ALL alpine id', 'with less to break'],
    ['tsbox run -i alpine wc -c < file', 'in a pipeline'],
    ['tsbox run --explain alpine true', 'what it would do, without root'],
    ['tsbox run --profile alpine true', 'where the time goes'],
  ],
};

export function optionOf(flag: Flag<unknown>): Option {
  // A bracket anywhere would mean to commander that the value can be left out.
  const option = new Option(flag.flags.replace(/<.*>/, '<value>'), flag.help).helpGroup(`${flag.group}:`);
  option.flags = flag.flags;
  // `--no-healthcheck` is a switch of its own, and not the opposite of another.
  option.negate = false;
  return option.required ? option.argParser(collect) : option;
}

function isNegation(command: Command, name: string): boolean {
  if (!name.startsWith('--no-') || command.options.some((option) => option.long === name)) return false;
  const positive = command.options.find((option) => option.long === name.replace('--no-', '--'));
  return positive?.isBoolean() === true;
}

/** @param names the flags that the command has, where they are not all of those of `run` */
export function readOptions(
  given: Record<string, unknown>,
  names: readonly (keyof RunOptions)[] = Object.keys(RUN_FLAGS) as (keyof RunOptions)[],
): RunOptions {
  const options: Record<string, unknown> = {};
  for (const name of names) {
    const flag: Flag<unknown> = RUN_FLAGS[name];
    const long = /--[\w-]+/.exec(flag.flags)?.[0] ?? '';
    const value = given[attributeName(long)];
    if (value !== undefined) options[name] = flag.read(Array.isArray(value) ? value : [String(value)], long);
  }
  return options;
}

/** Commander's own rule: `--read-only` is kept as `readOnly`. */
function attributeName(long: string): string {
  return long.slice(2).replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase());
}

function explainFormat(value: unknown): 'text' | 'json' | undefined {
  if (value === undefined) return undefined;
  if (value === '' || value === 'text') return 'text';
  if (value === 'json') return 'json';
  throw usageError(
    'run',
    `--explain=${value}: the formats are text and json${didYouMean(String(value), ['text', 'json'])}`,
  );
}

/** As in Docker: all outputs unless some streams are named; the input only with -i. */
function attached(names: string[] | undefined, interactive: boolean): Set<Stream> {
  const streams = new Set<Stream>(
    names === undefined ? ['stdin', 'stdout', 'stderr'] : names.map(streamName),
  );
  if (!interactive) streams.delete('stdin');
  return streams;
}

function streamName(name: string): Stream {
  const lower = name.toLowerCase();
  if (lower === 'stdin' || lower === 'stdout' || lower === 'stderr') return lower;
  throw usageError('run', `--attach ${JSON.stringify(name)}: the streams are stdin, stdout and stderr`);
}

function labelsOf(files: string[]): Record<string, string> {
  const lines = files.flatMap((file) => readFileSync(file, 'utf8').split(/\r?\n/));
  const labels = lines.map((line) => line.trimStart()).filter((line) => line !== '' && !line.startsWith('#'));
  return RUN_FLAGS.labels.read(labels, '--label-file');
}
