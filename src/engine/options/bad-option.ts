import { TsboxError } from '../../kernel/index.ts';

/**
 * The error for an option that cannot be meant: `--memory 64q: not a size; right would be: --memory 64m`.
 *
 * @param flag as the user types it, with its dashes
 * @param example a value that would have been right
 */
export function badOption(
  flag: string,
  value: string | number | undefined,
  problem: string,
  example?: string,
): TsboxError {
  const given = value === undefined ? flag : `${flag} ${printable(String(value))}`;
  const right = example === undefined ? '' : `; right would be: ${flag} ${example}`;
  return new TsboxError('BAD_OPTION', `${given}: ${problem}${right}`);
}

/**
 * One line that is safe on a terminal: a name from a file or an image may hold line breaks and escape sequences. Empty and
 * spaced values are quoted, so that one sees where they begin and end.
 */
export function printable(value: string): string {
  const text = value.length > 200 ? `${value.slice(0, 200)}…` : value;
  if (/^[\p{L}\p{M}\p{N}\p{P}\p{S}]+$/u.test(text)) return text;
  return JSON.stringify(text).replace(/[\p{C}\p{Zl}\p{Zp}]/gu, escapeCharacter);
}

function escapeCharacter(character: string): string {
  return `\\u{${character.codePointAt(0)?.toString(16)}}`;
}

/** No string with a NUL reaches the kernel: there it would end early, and mean something else than was checked here. */
export function refuseNul(flag: string, value: string): void {
  if (value.includes('\0')) throw badOption(flag, value, 'holds a NUL character');
}
