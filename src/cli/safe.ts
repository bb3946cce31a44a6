/**
 * Text that is safe on a terminal. Messages and tables quote names, commands and file contents that others chose, and no escape
 * sequence of theirs, nor a change of writing direction, may reach the terminal. Line breaks stay.
 */
export function safe(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  return text.replace(/[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]/g, (character) =>
    character === '\t' ? '  ' : `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
