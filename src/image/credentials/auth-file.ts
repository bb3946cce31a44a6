import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { lockWithin, TsboxError } from '../../kernel/index.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

/** The part of Docker's `config.json` that is about credentials. What else is in there is kept. */
export interface AuthFile {
  auths?: Record<string, AuthEntry>;
  credHelpers?: Record<string, string>;
  credsStore?: string;
  [other: string]: unknown;
}

export interface AuthEntry {
  /** `user:password` in base64. */
  auth?: string;
  username?: string;
  password?: string;
  identitytoken?: string;
}

/** Where `tsbox login` writes: `TSBOX_AUTH_FILE`, or `~/.config/tsbox/auth.json`. */
export function ownAuthFile(environment: Environment): string {
  const { TSBOX_AUTH_FILE, XDG_CONFIG_HOME } = environment;
  return TSBOX_AUTH_FILE || join(XDG_CONFIG_HOME || join(home(environment), '.config'), 'tsbox', 'auth.json');
}

/** Docker's: in `DOCKER_CONFIG`, or `~/.docker`. */
export function dockerAuthFile(environment: Environment): string {
  return join(environment.DOCKER_CONFIG || join(home(environment), '.docker'), 'config.json');
}

/**
 * @returns undefined where there is no such file
 * @throws {TsboxError} BAD_AUTH_FILE
 */
export function readAuthFile(path: string): AuthFile | undefined {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    throw bad(path, message);
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    // What JSON.parse says quotes the text, which is secret.
    throw bad(path, 'it is not JSON');
  }
  if (!isRecord(value)) throw bad(path, 'it is no JSON object');
  const { auths = {}, credHelpers = {}, credsStore = '' } = value;
  if (!isRecord(auths) || !Object.values(auths).every(isRecord))
    throw bad(path, '`auths` is no object of objects');
  if (!isRecord(credHelpers) || !Object.values(credHelpers).every((name) => typeof name === 'string'))
    throw bad(path, '`credHelpers` is no object of names');
  if (typeof credsStore !== 'string') throw bad(path, '`credsStore` is no name');
  return value as AuthFile;
}

/** Changes the file under a lock, readable for its owner only; written aside and renamed, so that nobody ever sees half of it. */
export function changeAuthFile(path: string, change: (file: AuthFile) => void): void {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  const lock = lockWithin(`${path}.lock`, path);
  const aside = `${path}.${process.pid}.new`;
  try {
    const file = readAuthFile(path) ?? {};
    change(file);
    rmSync(aside, { force: true });
    writeFileSync(aside, `${JSON.stringify(file, undefined, '\t')}\n`, {
      mode: 0o600,
      flag: 'wx',
      flush: true,
    });
    renameSync(aside, path);
  } catch (error) {
    rmSync(aside, { force: true });
    throw error instanceof TsboxError ? error : bad(path, (error as Error).message);
  } finally {
    lock.release();
  }
}

function home(environment: Environment): string {
  return environment.HOME || homedir();
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function bad(path: string, message: string): TsboxError {
  return new TsboxError('BAD_AUTH_FILE', `\`${path}\`: ${message}`);
}
