import { badArchive } from '../archive-error.ts';
import type { PaxRecord } from './pax.ts';

/**
 * The extended attributes among the records of a PAX header, by name. `SCHILY.xattr.NAME` holds the value as it is (GNU tar, star, Go);
 * `LIBARCHIVE.xattr.NAME` holds it in base64 (bsdtar, which writes both).
 *
 * @throws {TsboxError} BAD_ARCHIVE
 */
export function readXattrs(records: readonly PaxRecord[]): Map<string, Buffer> | undefined {
  let attributes: Map<string, Buffer> | undefined;
  for (const { keyword, value } of records) {
    if (!keyword.startsWith(SCHILY) && !keyword.startsWith(LIBARCHIVE)) continue;
    const raw = keyword.startsWith(SCHILY);
    const name = raw ? schilyName(keyword) : libarchiveName(keyword);
    // XATTR_NAME_MAX and XATTR_SIZE_MAX of linux/limits.h
    if (
      name.length === 0 ||
      name.length > 255 ||
      name.includes('\0') ||
      value.length > 65536 * (raw ? 1 : 2)
    ) {
      throw badArchive('an extended attribute of the tar has an impossible name or size');
    }
    attributes ??= new Map();
    if (raw) attributes.set(name, value);
    else if (!attributes.has(name)) attributes.set(name, Buffer.from(value.toString('latin1'), 'base64'));
  }
  return attributes;
}

const SCHILY = 'SCHILY.xattr.';
const LIBARCHIVE = 'LIBARCHIVE.xattr.';

/** GNU tar writes `=` and `%` in a name as `%3D` and `%25`, because the keyword ends at the first `=`. */
function schilyName(keyword: string): string {
  return keyword.slice(SCHILY.length).replace(/%(3D|25)/g, (_, code) => (code === '3D' ? '=' : '%'));
}

function libarchiveName(keyword: string): string {
  return keyword
    .slice(LIBARCHIVE.length)
    .replace(/%([0-9A-Fa-f]{2})/g, (_, code) => String.fromCharCode(Number.parseInt(code, 16)));
}
