import { badArchive } from '../archive-error.ts';

/** A record of a PAX extended header. The keyword has one character a byte; the value may be binary. */
export interface PaxRecord {
  keyword: string;
  value: Buffer;
}

/**
 * The records of a PAX extended header, in their order, which sparse maps of version 0.0 depend on. POSIX.1-2017 pax, "pax Extended
 * Header": `LENGTH KEYWORD=VALUE\n`, where the length counts the whole record in bytes.
 *
 * @throws {TsboxError} BAD_ARCHIVE
 */
export function readPaxRecords(bytes: Buffer): PaxRecord[] {
  const records: PaxRecord[] = [];
  for (let at = 0; at < bytes.length; ) {
    const space = bytes.indexOf(0x20, at);
    const digits = space < 0 ? '' : bytes.toString('latin1', at, space);
    const end = at + Number(digits);
    const equals = bytes.indexOf(0x3d, space);
    if (
      !/^\d{1,9}$/.test(digits) ||
      end > bytes.length ||
      equals < 0 ||
      equals >= end ||
      bytes[end - 1] !== 0x0a
    ) {
      throw badArchive('a PAX header of the tar is malformed');
    }
    records.push({
      keyword: bytes.toString('latin1', space + 1, equals),
      value: bytes.subarray(equals + 1, end - 1),
    });
    at = end;
  }
  return records;
}

/** The last value of a keyword, as the standard has it, with one character a byte; undefined where it is absent or empty (which means: deleted). */
export function paxText(records: readonly PaxRecord[], keyword: string): string | undefined {
  const record = records.findLast((each) => each.keyword === keyword);
  return record === undefined || record.value.length === 0 ? undefined : record.value.toString('latin1');
}

/** A decimal number that is not negative. */
export function paxNumber(records: readonly PaxRecord[], keyword: string): number | undefined {
  const text = paxText(records, keyword);
  if (text === undefined) return undefined;
  const value = Number(text);
  if (!/^\d{1,16}$/.test(text) || !Number.isSafeInteger(value)) {
    throw badArchive(`the PAX record ${keyword} of the tar is not a number`);
  }
  return value;
}

/** A time in seconds with any number of decimals, as nanoseconds since 1970, rounded down. */
export function paxTime(records: readonly PaxRecord[], keyword: string): bigint | undefined {
  const text = paxText(records, keyword);
  if (text === undefined) return undefined;
  const match = /^(-?)(\d{1,12})(?:\.(\d*))?$/.exec(text);
  if (match === null) throw badArchive(`the PAX record ${keyword} of the tar is not a time`);
  const [, sign, seconds = '', fraction = ''] = match;
  const nanoseconds = BigInt(seconds) * 1_000_000_000n + BigInt(fraction.slice(0, 9).padEnd(9, '0'));
  return sign === '-' ? -nanoseconds : nanoseconds;
}
