/** What is kept for a registry, in a file or with a credential helper. */
export interface StoredCredentials {
  username: string;
  password: string;
  /** In place of the password: what a token server gave for it at the login. */
  identityToken?: string | undefined;
}
