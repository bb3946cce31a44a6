import { usageError } from './usage.ts';

/** The flag of every command that speaks to a registry, for `Command.option`. */
export const TLS_VERIFY = [
  '--tls-verify [boolean]',
  'false: take any certificate, and plain HTTP where there is no TLS',
] as const;

/** Its value, as the library takes it. */
export function tlsVerify(command: string, value: string | boolean | undefined): { tlsVerify?: boolean } {
  if (value === undefined) return {};
  if (value === true || value === 'true') return { tlsVerify: true };
  if (value === 'false') return { tlsVerify: false };
  throw usageError(command, `--tls-verify is true or false, not ${JSON.stringify(value)}`);
}
