import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createSecureContext, rootCertificates, type SecureContext } from 'node:tls';
import { TsboxError } from '../../../kernel/index.ts';
import type { Settings } from '../settings.ts';

/**
 * Whom to trust about a host, and who we are to it: the system's authorities, as Docker has them (Node brings its own list and does not look), and for
 * this host `*.crt` (authorities), `*.cert` with `*.key` (ourselves) of `/etc/containers/certs.d/HOST[:PORT]` or `/etc/docker/certs.d/HOST[:PORT]`.
 *
 * @throws {TsboxError} BAD_CERTIFICATE
 */
export function trust(host: string, settings: Settings): SecureContext {
  const authorities = systemAuthorities(settings.environment);
  const clients: { cert: string; key: string }[] = [];
  for (const parent of settings.certificateDirectories) {
    const directory = join(parent, host);
    if (!existsSync(directory)) continue;
    for (const name of readdirSync(directory).sort()) {
      const path = join(directory, name);
      if (name.endsWith('.crt')) authorities.push(read(path));
      if (!name.endsWith('.cert')) continue;
      clients.push({ cert: read(path), key: read(path.replace(/cert$/, 'key')) });
    }
  }
  try {
    return createSecureContext({
      ca: authorities,
      ...(clients.length > 0 && {
        cert: clients.map(({ cert }) => cert),
        key: clients.map(({ key }) => key),
      }),
    });
  } catch (error) {
    throw badCertificate(
      `a certificate or key for ${host} cannot be used: ${(error as Error).message}`,
      error,
    );
  }
}

function systemAuthorities(environment: Settings['environment']): string[] {
  const system = [environment.SSL_CERT_FILE, ...BUNDLES].find((path) => path && existsSync(path));
  const extra = environment.NODE_EXTRA_CA_CERTS;
  return [
    ...(system === undefined ? rootCertificates : [read(system)]),
    ...(extra && existsSync(extra) ? [read(extra)] : []),
  ];
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw badCertificate(`cannot read \`${path}\`: ${(error as Error).message}`, error);
  }
}

function badCertificate(message: string, cause: unknown): TsboxError {
  return new TsboxError('BAD_CERTIFICATE', message, { cause });
}

/** Debian and Alpine, Fedora, openSUSE; the places where Go looks (crypto/x509/root_linux.go). */
const BUNDLES = [
  '/etc/ssl/certs/ca-certificates.crt',
  '/etc/pki/tls/certs/ca-bundle.crt',
  '/etc/ssl/ca-bundle.pem',
  '/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem',
  '/etc/ssl/cert.pem',
];
