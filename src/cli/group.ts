import { didYouMean } from '../index.ts';
import { type CommandText, examples } from './command.ts';
import { print } from './output.ts';
import { usageError } from './usage.ts';

/** A command below a group: `tsbox image ls`. */
export interface Subcommand {
  summary: string;
  aliases?: string[];
  run(args: string[]): Promise<number>;
}

/** Runs what the first word says; without one, or with `--help`, says what there is. */
export async function runGroup(
  name: string,
  description: string,
  commands: Record<string, Subcommand>,
  args: readonly string[],
  lines: CommandText['examples'],
): Promise<number> {
  const [word, ...rest] = args;
  if (word === undefined || word === '--help' || word === '-h' || (word === 'help' && rest.length === 0)) {
    print(groupHelp(name, description, commands, lines));
    return 0;
  }
  if (word === 'help') return await find(name, commands, rest[0] as string).run(['--help']);
  return await find(name, commands, word).run(rest);
}

function find(group: string, commands: Record<string, Subcommand>, word: string): Subcommand {
  const found = Object.entries(commands).find(([name, { aliases = [] }]) =>
    [name, ...aliases].includes(word),
  );
  if (found !== undefined) return found[1];
  const known = Object.entries(commands).flatMap(([name, { aliases = [] }]) => [name, ...aliases]);
  throw usageError(group, `no such command: ${JSON.stringify(`${group} ${word}`)}${didYouMean(word, known)}`);
}

function groupHelp(
  name: string,
  description: string,
  commands: Record<string, Subcommand>,
  exampleLines: CommandText['examples'],
): string {
  const rows = Object.entries(commands).map(([word, { aliases = [], summary }]) => [
    [word, ...aliases].join(', '),
    summary,
  ]);
  const width = Math.max(...rows.map(([words = '']) => words.length));
  const lines = rows.map(([words = '', summary]) => `  ${words.padEnd(width)}  ${summary}`);
  return [
    `Usage: tsbox ${name} COMMAND [OPTIONS]`,
    '',
    description,
    '',
    'Commands:',
    ...lines,
    examples(exampleLines),
    '',
    `\`tsbox ${name} COMMAND --help\` prints the help of a command.`,
    '',
  ].join('\n');
}
