import { usageError } from './usage.ts';

/** `KEY=VALUE`, or `KEY` for an empty value. @param command for the advice of an error */
export function pair(command: string, flag: string, text: string): [string, string] {
  const equals = text.indexOf('=');
  if (text === '' || equals === 0)
    throw usageError(command, `${flag} ${JSON.stringify(text)}: the name is missing`);
  return equals < 0 ? [text, ''] : [text.slice(0, equals), text.slice(equals + 1)];
}
