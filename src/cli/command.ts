import { Command, Option } from 'commander';
import { print } from './output.ts';
import { usageError } from './usage.ts';

/** What a command's `--help` says besides its options. */
export interface CommandText {
  /** After `tsbox`: `rmi [OPTIONS] IMAGE…`. */
  usage: string;
  description: string;
  /** Command line and what it does. */
  examples: [line: string, does: string][];
}

/**
 * A command of commander that throws where commander would print and exit: src/cli/report.ts reports it, like every other error.
 * (That help was printed is thrown too.) Only the command that runs is ever defined, so there is no parent with subcommands.
 */
export function defineCommand(
  text: CommandText,
  help: Option = new Option('-h, --help', 'Print this help'),
): Command {
  const [name = '', ...rest] = text.usage.split(' ');
  return new Command(`tsbox ${name}`)
    .usage(rest.join(' '))
    .description(text.description)
    .addHelpOption(help)
    .addHelpText('after', examples(text.examples))
    .configureOutput({
      writeOut: print,
      writeErr: () => {},
      outputError: () => {},
      // Asked only when help is printed: `process.stdout` costs 3 ms.
      getOutHelpWidth: () => process.stdout.columns ?? 100,
    })
    .exitOverride((error) => {
      throw error.exitCode === 0 ? error : usageError(name, plain(error.message));
    });
}

/** From `error: unknown option '--memroy'\n(Did you mean --memory?)`. */
function plain(message: string): string {
  const [first = '', ...rest] = message.replace(/^error: /, '').split('\n');
  const meant = /^\(Did you mean (.+)\?\)$/s.exec(rest.join(' '))?.[1];
  return meant === undefined ? first : `${first}; did you mean ${meant}?`;
}

/** A flag that may be given several times: the values in order. */
export function collect(value: string, previous: string[] | undefined): string[] {
  return [...(previous ?? []), value];
}

/** The part of a help text that shows how a command is used. */
export function examples(lines: CommandText['examples']): string {
  const width = Math.max(...lines.map(([line]) => line.length));
  return `\nExamples:\n${lines.map(([line, does]) => `  ${line.padEnd(width)}  ${does}`).join('\n')}`;
}
