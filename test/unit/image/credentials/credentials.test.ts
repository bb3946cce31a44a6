import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { changeAuthFile } from '../../../../src/image/credentials/auth-file.ts';
import { askHelper } from '../../../../src/image/credentials/helper.ts';
import { findCredentials } from '../../../../src/image/credentials/index.ts';

let directory: string;
let environment: Record<string, string>;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'tsbox-credentials-'));
  mkdirSync(join(directory, 'docker'));
  mkdirSync(join(directory, 'bin'));
  environment = {
    HOME: directory,
    TSBOX_AUTH_FILE: join(directory, 'auth.json'),
    DOCKER_CONFIG: join(directory, 'docker'),
    PATH: `${join(directory, 'bin')}:${process.env.PATH}`,
  };
});
afterEach(() => rmSync(directory, { recursive: true }));

const own = (content: unknown) => writeFileSync(join(directory, 'auth.json'), JSON.stringify(content));
const docker = (content: unknown) =>
  writeFileSync(join(directory, 'docker', 'config.json'), JSON.stringify(content));
const base64 = (text: string) => Buffer.from(text).toString('base64');
const find = (registry: string) => findCredentials(registry, environment);
/** A program `docker-credential-NAME`. */
const helper = (name: string, script: string) => {
  const path = join(directory, 'bin', `docker-credential-${name}`);
  writeFileSync(path, `#!/bin/sh\n${script}\n`);
  chmodSync(path, 0o755);
};

describe('findCredentials', () => {
  it('finds nothing where there is nothing', async () => {
    expect(await find('ghcr.io')).toBeUndefined();
    own({});
    docker({ auths: { 'ghcr.io': {} }, HttpHeaders: {} });
    expect(await find('ghcr.io')).toBeUndefined();
    expect(await find('constructor')).toBeUndefined();
  });

  it.each([
    ['ghcr.io', 'ghcr.io'],
    ['https://ghcr.io', 'ghcr.io'],
    ['https://ghcr.io/v2/', 'ghcr.io'],
    ['localhost:5000', 'localhost:5000'],
    ['https://index.docker.io/v1/', 'docker.io'],
    ['index.docker.io', 'docker.io'],
    ['registry-1.docker.io', 'docker.io'],
    ['docker.io', 'docker.io'],
  ])('under %s finds those for %s', async (key, registry) => {
    docker({ auths: { [key]: { auth: base64('me:with:colons') } } });
    expect(await find(registry)).toEqual({ username: 'me', password: 'with:colons' });
    expect(await find('ghcr.io.evil.example')).toBeUndefined();
    expect(await find('localhost:5001')).toBeUndefined();
  });

  it('looks into our own file first', async () => {
    docker({ auths: { 'ghcr.io': { auth: base64('docker:1') }, 'quay.io': { auth: base64('docker:2') } } });
    own({ auths: { 'ghcr.io': { auth: base64('own:1') } } });
    expect(await find('ghcr.io')).toMatchObject({ username: 'own' });
    expect(await find('quay.io')).toMatchObject({ username: 'docker' });
  });

  it('knows identity tokens, and names in plain', async () => {
    docker({
      auths: {
        'a.example': { auth: base64('me:'), identitytoken: 'token' },
        'b.example': { username: 'me', password: 'x' },
      },
    });
    expect(await find('a.example')).toEqual({ username: 'me', password: '', identityToken: 'token' });
    expect(await find('b.example')).toEqual({ username: 'me', password: 'x' });
  });

  it.each([
    ['no JSON', 'secret:'],
    ['a list', '[]'],
    ['auths that are none', '{"auths":[]}'],
    ['an entry that is none', '{"auths":{"a":"b"}}'],
    ['helpers that are none', '{"credHelpers":{"a":1}}'],
    ['a store that is none', '{"credsStore":{}}'],
    ['no user name', JSON.stringify({ auths: { 'ghcr.io': { auth: base64('secret') } } })],
  ])('refuses a file with %s, without saying what is in it', async (_, content) => {
    writeFileSync(join(directory, 'auth.json'), content);
    const failure = await find('ghcr.io').catch((error: Error) => error);
    expect(failure).toMatchObject({ code: 'BAD_AUTH_FILE', message: expect.stringContaining('auth.json') });
    expect((failure as Error).message).not.toContain('secret');
  });

  it('asks the helper for the registry, or the one for all', async () => {
    helper('one', 'read server; echo "{\\"Username\\":\\"one\\",\\"Secret\\":\\"$1 $server\\"}"');
    helper('all', 'read server; echo "{\\"Username\\":\\"<token>\\",\\"Secret\\":\\"$server\\"}"');
    docker({
      credHelpers: { 'ghcr.io': 'one' },
      credsStore: 'all',
      auths: { 'ghcr.io': { auth: base64('x:y') } },
    });
    expect(await find('ghcr.io')).toEqual({ username: 'one', password: 'get ghcr.io' });
    expect(await find('quay.io')).toMatchObject({ identityToken: 'quay.io' });
    expect(await find('docker.io')).toMatchObject({ identityToken: 'https://index.docker.io/v1/' });
  });

  it('goes on to the file where the helper knows nothing', async () => {
    helper('all', 'echo "credentials not found in native keychain"; exit 1');
    docker({ credsStore: 'all', auths: { 'ghcr.io': { auth: base64('me:x') } } });
    expect(await find('ghcr.io')).toEqual({ username: 'me', password: 'x' });
  });
});

describe('askHelper', () => {
  const ask = (name: string, timeout?: number) => askHelper(name, 'ghcr.io', environment, timeout);

  it.each(['../../bin/sh', 'a/b', '', '-x', 'a b', 'a;b'])('runs no helper called %j', async (name) => {
    await expect(ask(name)).rejects.toMatchObject({ code: 'CREDENTIAL_HELPER' });
  });

  it.each([
    ['fails', 'echo "no keychain"; exit 3', /failed \(3\): no keychain/],
    ['says no JSON', 'echo hello', /not JSON/],
    ['says something else', 'echo "[1]"', /no credentials/],
    ['says nothing', 'true', /not JSON/],
    ['never ends saying', 'yes 2>/dev/null', /without end/],
  ])('that %s is an error', async (_, script, message) => {
    helper('bad', script);
    await expect(ask('bad')).rejects.toMatchObject({
      code: 'CREDENTIAL_HELPER',
      message: expect.stringMatching(message),
    });
  });

  it('that is not there is an error', async () => {
    await expect(ask('none')).rejects.toMatchObject({ message: expect.stringContaining('no such program') });
  });

  it('that does not answer is killed', async () => {
    helper('slow', `echo $$ > ${directory}/pid; exec sleep 1000`);
    await expect(ask('slow', 300)).rejects.toMatchObject({
      message: expect.stringContaining('does not answer'),
    });
    const pid = Number(readFileSync(join(directory, 'pid'), 'utf8'));
    await expect.poll(() => isRunning(pid)).toBe(false);
  });
});

describe('changeAuthFile', () => {
  it('makes a file that nobody else can read, and keeps what it does not know', () => {
    const path = join(directory, 'new', 'auth.json');
    changeAuthFile(path, (file) => {
      file.auths = { a: { auth: 'x' } };
    });
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(statSync(join(directory, 'new')).mode & 0o777).toBe(0o700);
    writeFileSync(path, '{"auths":{"a":{"auth":"x"}},"HttpHeaders":{"A":"b"}}');
    chmodSync(path, 0o644);
    changeAuthFile(path, (file) => {
      delete file.auths?.a;
    });
    expect(JSON.parse(readFileSync(path, 'utf8'))).toEqual({ auths: {}, HttpHeaders: { A: 'b' } });
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(readdirSync(join(directory, 'new')).sort()).toEqual(['auth.json', 'auth.json.lock']);
  });

  it('leaves a file alone that it cannot read', () => {
    const path = join(directory, 'auth.json');
    writeFileSync(path, 'mine');
    expect(() => changeAuthFile(path, () => {})).toThrow(expect.objectContaining({ code: 'BAD_AUTH_FILE' }));
    expect(readFileSync(path, 'utf8')).toBe('mine');
    expect(readdirSync(directory).filter((name) => name.includes('.new'))).toEqual([]);
  });
});

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
