import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createSecureContext, rootCertificates, type SecureContext } from 'node:tls';
import { TsboxError } from '../../../kernel/index.ts';
import type { Settings } from '../settings.ts';

/**
 * Whom to trust about a host, and who we are to it: the system's authorities, as Docker has them (Node brings its own list and does not look), and for
 * this host `*.crt` (authorities), `*.cert` with `*.key` (ourselves) of `/etc/containers/certs.d/HOST[:PORT]` or `/etc/docker/certs.d/HOST[:PORT]`.
 *
 * @param verify whether the other side's certificate has to be right
 * @throws {TsboxError} BAD_CERTIFICATE
 */
export function trust(host: string, verify: boolean, settings: Settings): SecureContext {
  const own = filesFor(host, settings);
  const { SSL_CERT_FILE, NODE_EXTRA_CA_CERTS } = settings.environment;
  // Most hosts have no files of their own, and the system's authorities take 20 ms to read. Without verification nobody asks them.
  const key = `${verify} ${SSL_CERT_FILE} ${NODE_EXTRA_CA_CERTS}`;
  const common = own.length === 0 ? contexts.get(key) : undefined;
  if (common !== undefined) return common;
  const system = verify ? systemAuthorities(settings.environment) : [];
  const clients = own.filter((path) => path.endsWith('.cert'));
  const options = {
    ca: [...system, ...own.filter((path) => path.endsWith('.crt')).map(read)],
    ...(clients.length > 0 && {
      cert: clients.map(read),
      key: clients.map((path) => read(path.replace(/cert$/, 'key'))),
    }),
  };
  try {
    const context = createSecureContext(options);
    if (own.length === 0) contexts.set(key, context);
    return context;
  } catch (error) {
    throw badCertificate(
      `a certificate or key for ${host} cannot be used: ${(error as Error).message}`,
      error,
    );
  }
}

const contexts = new Map<string, SecureContext>();

/** Certificates of this host's directories. */
function filesFor(host: string, settings: Settings): string[] {
  return settings.certificateDirectories.flatMap((parent) => {
    const directory = join(parent, host);
    if (!existsSync(directory)) return [];
    const names = readdirSync(directory).filter((name) => /\.(?:crt|cert)$/.test(name));
    return names.sort().map((name) => join(directory, name));
  });
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
