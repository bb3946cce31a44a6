import { didYouMean, type TsboxError } from '../index.ts';
import { COMMANDS } from './commands.ts';
import { usageError } from './usage.ts';

export function unknownCommand(name: string): TsboxError {
  const known = Object.entries(COMMANDS).flatMap(([known, command]) => (command.summary ? [known] : []));
  return usageError('', `no such command: ${JSON.stringify(name)}${didYouMean(name, known)}`);
}
