import { TsboxError } from '../index.ts';

/** A command line that cannot be meant. Ends in "See 'tsbox COMMAND --help'". */
export function usageError(command: string, message: string): TsboxError {
  return new TsboxError('USAGE', message, {
    advice: `see \`tsbox ${command}${command === '' ? '' : ' '}--help\``,
  });
}
