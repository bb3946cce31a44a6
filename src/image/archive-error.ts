import { TsboxError } from '../kernel/index.ts';

/** The archive is not what it says it is, or ends in the middle: BAD_ARCHIVE. */
export function badArchive(message: string, advice?: string): TsboxError {
  return new TsboxError('BAD_ARCHIVE', message, advice === undefined ? {} : { advice });
}

/** The archive asks for something that an image must not do to its host: UNSAFE_ARCHIVE. */
export function unsafeArchive(message: string, advice?: string): TsboxError {
  return new TsboxError('UNSAFE_ARCHIVE', message, advice === undefined ? {} : { advice });
}

/**
 * A name from an archive, for a message: in backticks, on one line, with every byte that is no printable text as `\x1b`.
 *
 * @param name a string with one character a byte (latin1), as this folder holds names
 */
export function shownName(name: string): string {
  return `\`${plainName(name)}\``;
}

/** The same without backticks. */
export function plainName(name: string): string {
  // Asked for every entry, in case that something goes wrong with it.
  if (name.length <= 120 && PLAIN.test(name)) return name;
  const text = Buffer.from(name.length > 120 ? `${name.slice(0, 117)}...` : name, 'latin1').toString('utf8');
  // U+FFFD stands for bytes that are not UTF-8. Marks of writing direction would reorder the rest of the line.
  return text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}`\\\ufffd]/gu, escaped);
}

/** ASCII that is printed as it is. */
const PLAIN = /^[ !-[\]-_a-~]*$/;

function escaped(character: string): string {
  const code = character.codePointAt(0) ?? 0;
  return code < 0x100 ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u{${code.toString(16)}}`;
}
