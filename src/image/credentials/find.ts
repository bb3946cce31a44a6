export interface StoredCredentials {
  username: string;
  password: string;
  /** In place of the password: what a token server gave for it at the login. */
  identityToken?: string | undefined;
}

/** Who we are to a registry. */
export async function findCredentials(
  _registry: string,
  _environment: Readonly<Record<string, string | undefined>>,
): Promise<StoredCredentials | undefined> {
  return undefined;
}
