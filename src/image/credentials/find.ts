import { TsboxError } from '../../kernel/index.ts';
import { type AuthEntry, dockerAuthFile, type Environment, ownAuthFile, readAuthFile } from './auth-file.ts';
import { serverKey, serverName } from './servers.ts';
import type { StoredCredentials } from './stored-credentials.ts';

/**
 * Who we are to a registry: by our own file, then by Docker's; in each, by the helper for this registry (`credHelpers`), the helper for
 * all (`credsStore`), and what is written in it (`auths`), in this order, which is Docker's.
 *
 * @throws {TsboxError} BAD_AUTH_FILE, CREDENTIAL_HELPER
 */
export async function findCredentials(
  registry: string,
  environment: Environment,
): Promise<StoredCredentials | undefined> {
  const server = serverName(registry);
  for (const path of [ownAuthFile(environment), dockerAuthFile(environment)]) {
    const file = readAuthFile(path);
    if (file === undefined) continue;
    const named = Object.entries(file.credHelpers ?? {}).find(([key]) => serverName(key) === server);
    for (const helper of named === undefined ? [file.credsStore] : [named[1]]) {
      if (!helper) continue;
      const { askHelper } = await import('./helper.ts');
      const found = await askHelper(helper, named?.[0] ?? serverKey(server), environment);
      if (found !== undefined) return found;
    }
    const written = findWritten(file.auths ?? {}, server);
    const found = written === undefined ? undefined : decode(written, path, server);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** By the exact key first: `https://index.docker.io/v1/` and `docker.io` may both be there. */
export function findWritten(auths: Record<string, AuthEntry>, server: string): AuthEntry | undefined {
  const exact = Object.hasOwn(auths, serverKey(server)) ? auths[serverKey(server)] : undefined;
  return exact ?? Object.entries(auths).find(([key]) => serverName(key) === server)?.[1];
}

function decode(entry: AuthEntry, path: string, server: string): StoredCredentials | undefined {
  const { auth, identitytoken, username, password } = entry;
  const plain =
    typeof auth === 'string' ? Buffer.from(auth, 'base64').toString('utf8').replace(/\0+$/, '') : '';
  const colon = plain.indexOf(':');
  if (plain !== '' && colon < 0)
    throw new TsboxError(
      'BAD_AUTH_FILE',
      `\`${path}\`: what it has for ${server} is no user name and password`,
      {
        advice: `tsbox login ${server}`,
      },
    );
  const name = plain === '' ? username : plain.slice(0, colon);
  const secret = plain === '' ? password : plain.slice(colon + 1);
  const token = typeof identitytoken === 'string' && identitytoken !== '' ? identitytoken : undefined;
  if (typeof name !== 'string' || (name === '' && token === undefined)) return undefined;
  return {
    username: name,
    password: typeof secret === 'string' ? secret : '',
    ...(token && { identityToken: token }),
  };
}
