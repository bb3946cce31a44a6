import { TsboxError } from '../../../kernel/index.ts';
import type { StoredCredentials } from '../../credentials/index.ts';
import { refusal } from '../failure.ts';
import { type HttpRequest, type HttpResponse, readBody } from '../http/index.ts';
import { parseJsonObject } from '../json.ts';

export interface Token {
  value: string;
  /** Milliseconds since the epoch. */
  expires: number;
}

export interface TokenRequest {
  realm: URL;
  service: string | undefined;
  scopes: readonly string[];
  credentials: StoredCredentials | undefined;
  /** The registry's name, for messages and `tsbox login`. */
  registry: string;
}

/**
 * Fetches a token, by Docker's token specification: GET with Basic for a password or for nobody; POST as of OAuth 2 for an identity token.
 *
 * @param send follows redirects, and sends `authorization` to the realm's own origin only
 * @throws {TsboxError} REGISTRY_DENIED, REGISTRY_FAILED
 */
export async function fetchToken(
  request: TokenRequest,
  send: (request: HttpRequest) => Promise<HttpResponse>,
): Promise<Token> {
  const asked = Date.now();
  const response = await send(
    request.credentials?.identityToken === undefined
      ? withPassword(request)
      : withIdentity(request, request.credentials.identityToken),
  );
  const { realm, registry } = request;
  if (response.status !== 200) {
    const failure = await refusal(response, `${registry} wants a token`, registry);
    if (failure.status !== 401 && failure.status !== 403) throw failure;
    const who = request.credentials === undefined ? 'nobody' : `\`${request.credentials.username}\``;
    throw new TsboxError('REGISTRY_DENIED', `${registry} does not let ${who} in: ${failure.message}`, {
      advice: `tsbox login ${registry}`,
    });
  }
  const body = await readBody(response, TOKEN_BYTES);
  const object = body === undefined ? undefined : parseJsonObject(body);
  const value = object?.token || object?.access_token;
  // Anything else would be another header, or none.
  if (typeof value !== 'string' || !/^[\x21-\x7e]+$/.test(value))
    throw new TsboxError('REGISTRY_FAILED', `${registry} wants a token, and ${realm.host} gives none`);
  return { value, expires: asked + lifetime(object?.expires_in) };
}

function withPassword({ realm, service, scopes, credentials }: TokenRequest): HttpRequest {
  const url = new URL(realm);
  if (service !== undefined) url.searchParams.set('service', service);
  for (const scope of scopes) url.searchParams.append('scope', scope);
  if (credentials === undefined) return { method: 'GET', url, headers: {} };
  url.searchParams.set('account', credentials.username);
  return { method: 'GET', url, headers: { authorization: basic(credentials) } };
}

function withIdentity({ realm, service, scopes }: TokenRequest, identityToken: string): HttpRequest {
  const form = new URLSearchParams({
    grant_type: 'refresh_token',
    service: service ?? '',
    client_id: 'tsbox',
    scope: scopes.join(' '),
    refresh_token: identityToken,
  });
  const body = Buffer.from(form.toString());
  const headers = {
    'content-type': 'application/x-www-form-urlencoded',
    'content-length': String(body.length),
  };
  return { method: 'POST', url: realm, headers, body: () => once(body) };
}

export function basic(credentials: StoredCredentials): string {
  return `Basic ${Buffer.from(`${credentials.username}:${credentials.password}`).toString('base64')}`;
}

async function* once(body: Buffer): AsyncGenerator<Buffer> {
  yield body;
}

/** A minute where none is said, as the specification has it; a little less, for the way there; and no longer than an hour whatever is said. */
function lifetime(seconds: unknown): number {
  const said = typeof seconds === 'number' && seconds > 0 ? Math.min(seconds, 3600) : 60;
  return said * 1000 * 0.9;
}

const TOKEN_BYTES = 64 * 1024;
