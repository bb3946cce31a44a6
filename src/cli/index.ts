/**
 * The command: flags, help, tables, progress, exit codes. One file a command, which is loaded only when that command runs. How
 * anything is done is in the library, `src/index.ts`, and nothing else of tsbox is used here.
 */
import { version } from '../version.ts';
import { COMMANDS, type CommandEntry } from './commands.ts';
import { print } from './output.ts';

/** Runs one command line, without the program's name, and returns the exit code. It never rejects: errors are reported here, once. */
export async function tsbox(args: readonly string[]): Promise<number> {
  try {
    return await dispatch(args);
  } catch (error) {
    const { report } = await import('./report.ts');
    return report(error);
  }
}

async function dispatch([first, ...rest]: readonly string[]): Promise<number> {
  if (first === '--version' || first === '-v') {
    print(`tsbox ${version}\n`);
    return 0;
  }
  if (first === undefined || first === '--help' || first === '-h') return help();
  if (first === 'help') return rest[0] === undefined ? help() : (await find(rest[0]))(['--help']);
  return (await find(first))(rest);
}

async function find(name: string): Promise<CommandEntry['run']> {
  const entry = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
  if (entry) return entry.run;
  const { unknownCommand } = await import('./unknown-command.ts');
  throw unknownCommand(name);
}

async function help(): Promise<number> {
  const { overview } = await import('./help.ts');
  print(overview());
  return 0;
}
