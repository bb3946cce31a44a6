import { badOption } from './bad-option.ts';

/** A container's name, as Docker has them. It is also a directory's name, so this is what keeps `..` and `/` out. @throws BAD_OPTION */
export function checkName(flag: string, value: string): string {
  if (!/^[a-zA-Z0-9][a-zA-Z0-9_.-]+$/.test(value) || value.length > 200) {
    throw badOption(
      flag,
      value,
      'not a name (2 to 200 letters, digits, `_`, `.` and `-`, beginning with a letter or digit)',
      'web-1',
    );
  }
  return value;
}

/** A host name by RFC 1123, section 2.1, no longer than the kernel's 64 bytes (uname(2)). @throws BAD_OPTION */
export function checkHostname(flag: string, value: string): string {
  const labels = value.split('.');
  if (value.length > 64)
    throw badOption(flag, value, 'longer than the 64 characters that Linux keeps', 'web-1');
  if (!labels.every((label) => /^[a-zA-Z0-9]([a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?$/.test(label))) {
    throw badOption(
      flag,
      value,
      'not a host name (letters, digits and inner `-`, in parts joined by `.`)',
      'web-1',
    );
  }
  return value;
}
