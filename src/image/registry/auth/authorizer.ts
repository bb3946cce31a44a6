import { TsboxError } from '../../../kernel/index.ts';
import type { StoredCredentials } from '../../credentials/index.ts';
import type { HttpRequest, HttpResponse } from '../http/index.ts';
import { isLoopback } from '../http/index.ts';
import { parseChallenges } from './challenge.ts';
import { mergeScopes } from './scopes.ts';
import { basic, fetchToken, type Token } from './token.ts';

export interface AuthorizerOptions {
  /** The registry's name, for messages and `tsbox login`. */
  registry: string;
  /** Asked once, and only where the registry wants to know who we are. */
  credentials(): Promise<StoredCredentials | undefined>;
  send(request: HttpRequest): Promise<HttpResponse>;
}

/** What the header Authorization of one server's requests is: learnt from its first refusal, and kept. */
export class Authorizer {
  readonly #options: AuthorizerOptions;
  #credentials: Promise<StoredCredentials | undefined> | undefined;
  #basic: string | undefined;
  #bearer: { realm: URL; service: string | undefined } | undefined;
  /** By scopes: a token is good for only what it was asked for. Requests at the same time wait for the same one. */
  readonly #tokens = new Map<string, Promise<Token>>();

  constructor(options: AuthorizerOptions) {
    this.#options = options;
  }

  /** For a request with these scopes, before anything was refused: undefined where nothing is known to be needed. */
  async header(scopes: readonly string[]): Promise<string | undefined> {
    if (this.#bearer === undefined) return this.#basic;
    return `Bearer ${await this.#token(scopes)}`;
  }

  /**
   * After a 401: what to try instead.
   *
   * @param challenge the header WWW-Authenticate
   * @param refused what was sent
   * @param secure whether the registry is spoken to over TLS, or the user said that it need not be
   * @returns undefined where there is nothing else to try
   */
  async answer(
    challenge: string,
    scopes: readonly string[],
    refused: string | undefined,
    secure: boolean,
  ): Promise<string | undefined> {
    const challenges = parseChallenges(challenge);
    const bearer = challenges.find(({ scheme, parameters }) => scheme === 'bearer' && parameters.realm);
    if (bearer !== undefined) {
      const { realm = '', service, scope } = bearer.parameters;
      this.#bearer = { realm: this.#realm(realm, secure), service };
      const key = scopes.join(' ');
      // It may have expired on its way; if its successor is refused too, that is the answer. One that came meanwhile is not the one that was refused.
      const kept = await this.#tokens.get(key)?.catch(() => undefined);
      if (kept !== undefined && refused === `Bearer ${kept.value}`) this.#tokens.delete(key);
      return `Bearer ${await this.#token(scopes, mergeScopes(scopes, scope))}`;
    }
    const credentials = await this.#who();
    if (!challenges.some(({ scheme }) => scheme === 'basic') || credentials === undefined) return undefined;
    this.#basic = basic(credentials);
    return this.#basic === refused ? undefined : this.#basic;
  }

  async #token(scopes: readonly string[], wanted = scopes): Promise<string> {
    const key = scopes.join(' ');
    const kept = this.#tokens.get(key);
    if (kept !== undefined) {
      const token = await kept;
      if (token.expires > Date.now()) return token.value;
    }
    const bearer = this.#bearer as { realm: URL; service: string | undefined };
    const { registry, send } = this.#options;
    // Somebody else may have begun while we waited.
    const begun = this.#tokens.get(key);
    const token =
      begun !== kept && begun !== undefined
        ? begun
        : this.#who().then((credentials) =>
            fetchToken({ ...bearer, scopes: wanted, credentials, registry }, send),
          );
    this.#tokens.set(key, token);
    // A failure is not kept.
    token.catch(() => this.#tokens.get(key) === token && this.#tokens.delete(key));
    return (await token).value;
  }

  #who(): Promise<StoredCredentials | undefined> {
    this.#credentials ??= this.#options.credentials();
    return this.#credentials;
  }

  /** Where the tokens are. Over plain HTTP everybody on the way could read the password. */
  #realm(text: string, secure: boolean): URL {
    const { registry } = this.#options;
    const realm = URL.canParse(text) ? new URL(text) : undefined;
    if (realm?.protocol !== 'https:' && realm?.protocol !== 'http:')
      throw new TsboxError('REGISTRY_FAILED', `${registry} names no address where tokens are given out`);
    if (realm.protocol === 'http:' && secure && !isLoopback(realm.hostname.replace(/^\[|\]$/g, '')))
      throw new TsboxError(
        'REGISTRY_FAILED',
        `${registry} wants a token from ${realm.host}, but over plain HTTP`,
        { advice: 'only with --tls-verify=false is that done' },
      );
    realm.username = '';
    realm.password = '';
    return realm;
  }
}
