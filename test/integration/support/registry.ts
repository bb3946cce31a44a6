import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Debian's docker-registry, of one test file. */
export interface Registry {
  /** `127.0.0.1:PORT` */
  host: string;
  /** `http://127.0.0.1:PORT`, or https. */
  url: string;
  /** Where its blobs lie: `docker/registry/v2/…`. */
  storage: string;
  /** The certificate in PEM, a file, where it speaks TLS. */
  certificate: string | undefined;
  /** The lines of its access log so far, as `GET /v2/name/manifests/latest 200`. */
  requests(): Promise<string[]>;
  /** What it has said, for messages of tests that fail. */
  log(): string;
  stop(): Promise<void>;
}

export interface RegistrySettings {
  /** Who may come in (HTTP Basic). Default: everyone. */
  auth?: { user: string; password: string };
  /** The `auth.token` section: tokens that somebody else gives out. See token-server.ts. */
  token?: { realm: string; service: string; issuer: string; rootcertbundle: string };
  /** With a self-signed certificate for 127.0.0.1 and localhost. */
  tls?: boolean;
}

/** Why these tests cannot run here; undefined where they can. */
export const registryMissing = missingOf(['docker-registry', 'htpasswd', 'skopeo', 'openssl', 'setpriv']);

/** Starts a registry with an empty storage on a free port of 127.0.0.1, and waits until it answers. */
export async function startRegistry(settings: RegistrySettings = {}): Promise<Registry> {
  const directory = mkdtempSync(join(tmpdir(), 'tsbox-registry-'));
  const storage = join(directory, 'storage');
  mkdirSync(storage);
  const certificate = settings.tls ? makeCertificate(directory) : undefined;
  const config = join(directory, 'config.yml');
  // JSON is YAML.
  writeFileSync(config, JSON.stringify(configuration(directory, storage, settings), undefined, 2));
  // Dies with the tests, however they die: prctl(2), PR_SET_PDEATHSIG.
  // Into files: pipes would be full in the middle of whatever a test waits for without reading them.
  const logs = ['access.log', 'error.log'].map((name) => join(directory, name)) as [string, string];
  const files = logs.map((path) => openSync(path, 'a'));
  const child = spawn('setpriv', ['--pdeathsig', 'KILL', 'docker-registry', 'serve', config], {
    stdio: ['ignore', ...files],
    env: { PATH: process.env.PATH, OTEL_TRACES_EXPORTER: 'none' },
  });
  for (const file of files) closeSync(file);
  const exited = once(child, 'exit');
  const stop = async () => {
    child.kill('SIGKILL');
    await exited;
    rmSync(directory, { recursive: true, force: true });
  };
  const log = () => readFileSync(logs[1], 'latin1').slice(-100_000);
  try {
    const port = await portOf(child, log);
    const host = `127.0.0.1:${port}`;
    const url = `${settings.tls ? 'https' : 'http'}://${host}`;
    return {
      host,
      url,
      storage,
      certificate,
      requests: () => requests(url, logs[0], log),
      log,
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

function configuration(directory: string, storage: string, settings: RegistrySettings) {
  const { auth, token } = settings;
  return {
    version: 0.1,
    log: { level: 'info' },
    storage: { filesystem: { rootdirectory: storage }, delete: { enabled: true } },
    http: {
      addr: '127.0.0.1:0',
      // Else the upload URLs it gives out are signed with a key that it makes up, and says so.
      secret: 'of no importance',
      ...(settings.tls && {
        tls: { certificate: join(directory, 'cert.pem'), key: join(directory, 'key.pem') },
      }),
    },
    ...(auth && { auth: { htpasswd: { realm: 'tests', path: passwords(directory, auth) } } }),
    ...(token && { auth: { token } }),
  };
}

function passwords(directory: string, auth: { user: string; password: string }): string {
  const path = join(directory, 'htpasswd');
  // The registry takes bcrypt only. The password comes by stdin, so that it may begin with a dash.
  writeFileSync(path, execFileSync('htpasswd', ['-Bni', auth.user], { input: auth.password }));
  return path;
}

/** A self-signed certificate, by openssl. @returns its path; the key is beside it, `key.pem` */
export function makeCertificate(directory: string): string {
  const path = join(directory, 'cert.pem');
  const names = 'subjectAltName=IP:127.0.0.1,DNS:localhost';
  const what = ['-newkey', 'rsa:2048', '-nodes', '-subj', '/CN=tsbox tests', '-addext', names, '-days', '2'];
  const files = ['-keyout', join(directory, 'key.pem'), '-out', path];
  execFileSync('openssl', ['req', '-x509', ...what, ...files], { stdio: 'pipe' });
  return path;
}

/** The port that the kernel chose, from the log: whoever looks for a free one first may find it taken a moment later. */
async function portOf(child: ChildProcess, log: () => string): Promise<string> {
  for (const deadline = Date.now() + 30_000; ; ) {
    const port = /listening on 127\.0\.0\.1:(\d+)/.exec(log())?.[1];
    if (port !== undefined) return port;
    if (child.exitCode !== null || child.signalCode !== null || Date.now() > deadline) {
      throw new Error(`docker-registry does not come up: ${log()}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

let markers = 0;

/** A last request of our own, to know that the lines of all before it have been written. Apache's combined format. */
async function requests(url: string, path: string, log: () => string): Promise<string[]> {
  const lines = () =>
    readFileSync(path, 'latin1')
      .split('\n')
      .flatMap((line) => {
        const [, request, status] = /"(\S+ \S+) HTTP\/[\d.]+" (\d+)/.exec(line) ?? [];
        return request === undefined ? [] : [`${request} ${status}`];
      });
  const marker = `/?marker=${++markers}`;
  await new Promise((resolve, reject) => {
    const { get } = url.startsWith('https') ? https : http;
    const options = { agent: false, rejectUnauthorized: false } as const;
    get(`${url}${marker}`, options, (answer) => answer.resume().on('end', resolve)).on('error', reject);
  });
  for (const deadline = Date.now() + 10_000; !lines().some((line) => line.includes(marker)); ) {
    if (Date.now() > deadline) throw new Error(`docker-registry writes no access log: ${log()}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  return lines().filter((line) => !line.includes('/?marker='));
}

function missingOf(programs: string[]): string | undefined {
  const missing = programs.filter((name) => spawnSync('sh', ['-c', `command -v ${name}`]).status !== 0);
  return missing.length === 0 ? undefined : `needs ${missing.join(', ')}: scripts/setup --test`;
}
