import { createPrivateKey, randomUUID, sign, X509Certificate } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { say, serve } from '../../fixtures/http-server.ts';
import { makeCertificate, type RegistrySettings } from './registry.ts';

/** Gives tokens to `user`, and to nobody else those for pulling, as Docker Hub does (distribution/docs/spec/auth/jwt.md). */
export interface TokenServer {
  /** For startRegistry. */
  settings: NonNullable<RegistrySettings['token']>;
  /** Each as `user repository:name:pull,push …`. */
  given: string[];
  stop(): Promise<void>;
}

export async function startTokenServer(user: string, password: string): Promise<TokenServer> {
  const directory = mkdtempSync(join(tmpdir(), 'tsbox-tokens-'));
  const rootcertbundle = makeCertificate(directory);
  const key = createPrivateKey(readFileSync(join(directory, 'key.pem')));
  const certificate = new X509Certificate(readFileSync(rootcertbundle)).raw.toString('base64');
  const given: string[] = [];
  const basic = `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;
  const server = await serve((request, response) => {
    const { authorization } = request.headers;
    if (authorization !== undefined && authorization !== basic)
      return say(response, 401, '{"details":"incorrect username or password"}');
    const query = new URL(request.url ?? '/', 'http://x').searchParams;
    const scopes = query.getAll('scope');
    given.push([authorization === undefined ? '-' : user, ...scopes].join(' '));
    const access = scopes.map((scope) => {
      const [type, name, actions = ''] = scope.split(':');
      const allowed = actions.split(',').filter((action) => authorization !== undefined || action === 'pull');
      return { type, name, actions: allowed };
    });
    const now = Math.floor(Date.now() / 1000);
    const header = { typ: 'JWT', alg: 'RS256', x5c: [certificate] };
    const claims = {
      iss: 'tests',
      sub: user,
      aud: query.get('service'),
      exp: now + 300,
      nbf: now - 10,
      iat: now,
      jti: randomUUID(),
      access,
    };
    const signed = [header, claims]
      .map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
      .join('.');
    const signature = sign('sha256', Buffer.from(signed), key).toString('base64url');
    return say(response, 200, JSON.stringify({ token: `${signed}.${signature}`, expires_in: 300 }));
  });
  return {
    settings: {
      realm: `${server.url}/token`,
      service: 'registry of the tests',
      issuer: 'tests',
      rootcertbundle,
    },
    given,
    async stop() {
      await server.stop();
      rmSync(directory, { recursive: true });
    },
  };
}
