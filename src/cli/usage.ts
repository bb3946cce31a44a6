import { didYouMean, TsboxError } from '../index.ts';
import { COMMANDS } from './commands.ts';

/** A command line that cannot be meant. Ends in "See 'tsbox COMMAND --help'". */
export function usageError(command: string, message: string): TsboxError {
  return new TsboxError('USAGE', message, {
    advice: `see \`tsbox ${command}${command === '' ? '' : ' '}--help\``,
  });
}

export function unknownCommand(name: string): TsboxError {
  const known = Object.entries(COMMANDS).flatMap(([known, command]) => (command.summary ? [known] : []));
  return usageError('', `no such command: ${JSON.stringify(name)}${didYouMean(name, known)}`);
}
