import { TsboxError } from '../../kernel/index.ts';
import { tryReference } from '../reference.ts';
import { type Credentials, checkCredentials, type RegistryOptions } from '../registry/index.ts';
import { changeAuthFile, ownAuthFile, readAuthFile } from './auth-file.ts';
import { findWritten } from './find.ts';
import { serverKey, serverName } from './servers.ts';

/** See `login` of src/index.ts. */
export async function login(
  registry: string,
  credentials: Credentials,
  options: Pick<RegistryOptions, 'tlsVerify' | 'signal'> = {},
): Promise<{ server: string; file: string }> {
  const server = checkedServer(registry);
  const { username, password } = credentials;
  // A colon would move the border between the two; a line break cannot be sent.
  if (username === '' || /[:\p{Cc}]/u.test(username) || /[\r\n\0]/.test(password))
    throw new TsboxError(
      'BAD_CREDENTIALS',
      'a user name has no colon and no control characters, a password no line breaks',
    );
  if (!(await checkCredentials(server, credentials, options)))
    throw new TsboxError('LOGIN_FAILED', `${server} does not take this user name and password`, {
      advice: 'many registries want a token that is made in the account settings in place of the password',
    });
  const file = ownAuthFile(process.env);
  const auth = Buffer.from(`${username}:${password}`).toString('base64');
  changeAuthFile(file, (content) => {
    forget(content.auths, server);
    content.auths = { ...content.auths, [serverKey(server)]: { auth } };
  });
  return { server, file };
}

/** See `logout` of src/index.ts. */
export function logout(registry: string): { server: string; removed: boolean } {
  const server = checkedServer(registry);
  const file = ownAuthFile(process.env);
  const stored = readAuthFile(file)?.auths ?? {};
  if (findWritten(stored, server) === undefined) return { server, removed: false };
  changeAuthFile(file, (content) => forget(content.auths, server));
  return { server, removed: true };
}

function forget(auths: Record<string, unknown> | undefined, server: string): void {
  for (const key of Object.keys(auths ?? {})) {
    if (serverName(key) === server) delete auths?.[key];
  }
}

/** A server is what can stand before the first `/` of a reference. */
function checkedServer(text: string): string {
  const server = serverName(text);
  if (tryReference(`${server}/x`)?.registry === server) return server;
  throw new TsboxError('BAD_REFERENCE', `${JSON.stringify(text)} is no registry`, {
    advice: 'a registry looks like ghcr.io or localhost:5000',
  });
}
