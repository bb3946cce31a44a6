import { TsboxError } from '../../kernel/index.ts';

/** Names that mean something else after `--network`. */
export const RESERVED: readonly string[] = ['bridge', 'host', 'none', 'default', 'container'];

/**
 * The name of a network that is to be made. It is also a directory's name, so this is what keeps `..` and `/` out.
 *
 * @throws {TsboxError} BAD_OPTION
 */
export function checkNetworkName(name: string): void {
  if (RESERVED.includes(name))
    throw new TsboxError(
      'BAD_OPTION',
      `network name ${name}: is reserved; the networks ${RESERVED.slice(0, 3).join(', ')} are always there`,
    );
  if (!isNetworkName(name)) {
    const shown = JSON.stringify(name.slice(0, 80));
    const rule = 'not a name (1 to 128 letters, digits, `_`, `.` and `-`, beginning with a letter or digit)';
    throw new TsboxError('BAD_OPTION', `network name ${shown}: ${rule}`);
  }
}

export function isNetworkName(name: string): boolean {
  return /^[a-zA-Z0-9][a-zA-Z0-9_.-]{0,127}$/.test(name);
}
