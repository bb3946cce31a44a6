import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Terminal } from '../support/pty.ts';
import { type Registry, registryMissing, startRegistry } from '../support/registry.ts';
import { tsbox } from '../support/tsbox.ts';

const user = 'me';
const password = 'ge:heim ä';

describe.skipIf(registryMissing !== undefined)(`tsbox login${registryMissing ?? ''}`, () => {
  let registry: Registry;
  let directory: string;
  let file: string;
  beforeAll(async () => {
    registry = await startRegistry({ auth: { user, password } });
    directory = mkdtempSync(join(tmpdir(), 'tsbox-login-'));
    file = join(directory, 'config', 'auth.json');
    process.env.TSBOX_AUTH_FILE = file;
  });
  afterAll(async () => {
    delete process.env.TSBOX_AUTH_FILE;
    await registry.stop();
    rmSync(directory, { recursive: true });
  });
  const stored = () => JSON.parse(readFileSync(file, 'utf8')).auths;

  it('keeps what the registry takes, and logout forgets it', () => {
    const { status, stdout, stderr } = tsbox(['login', '-u', user, '--password-stdin', registry.host], {
      input: `${password}\n`,
    });
    expect({ status, stdout }).toEqual({ status: 0, stdout: 'Login Succeeded\n' });
    expect(stderr).toContain(file);
    expect(stored()).toEqual({
      [registry.host]: { auth: Buffer.from(`${user}:${password}`).toString('base64') },
    });
    expect(statSync(file).mode & 0o777).toBe(0o600);
    // It is in Docker's form: skopeo can use it.
    const tags = ['list-tags', '--tls-verify=false', '--authfile', file, `docker://${registry.host}/none`];
    expect(() => execFileSync('skopeo', tags, { stdio: 'pipe' })).toThrow(/404|name unknown/i);

    expect(tsbox(['logout', registry.host])).toMatchObject({
      status: 0,
      stdout: `Removing login credentials for ${registry.host}\n`,
    });
    expect(stored()).toEqual({});
    expect(tsbox(['logout', registry.host]).stdout).toBe(`Not logged in to ${registry.host}\n`);
  });

  it('keeps nothing that the registry does not take', () => {
    const { status, stdout, stderr } = tsbox(['login', '-u', user, '-p', 'wrong', registry.host]);
    expect({ status, stdout }).toEqual({ status: 125, stdout: '' });
    expect(stderr).toContain(`tsbox: ${registry.host} does not take this user name and password`);
    expect(tsbox(['logout', registry.host]).stdout).toBe(`Not logged in to ${registry.host}\n`);
  });

  it.each<[string[], string]>([
    [['-u', user], 'standard input is no terminal'],
    [['--password-stdin'], '--password-stdin needs --username'],
    [['-u', user, '-p', 'x', '--password-stdin'], 'mutually exclusive'],
    [['-u', 'a:b', '-p', 'x'], 'a user name has no colon'],
    [['-u', user, '-p', 'x', '--tls-verify=perhaps'], '--tls-verify is true or false'],
    [['-u', user, '-p', 'x', 'not a server'], 'is no registry'],
    [['-u', user, '-p', 'x', 'one', 'two'], 'too many arguments'],
  ])('%j is refused', (flags, message) => {
    const { status, stderr } = tsbox([
      'login',
      ...flags,
      ...(flags.at(-1)?.match(/server|two/) ? [] : [registry.host]),
    ]);
    expect(status).toBe(125);
    expect(stderr).toContain(message);
  });

  it('asks at a terminal, and does not show the password', async () => {
    const terminal = new Terminal(['login', registry.host]);
    try {
      await terminal.shows('Username: ');
      terminal.type(`${user}\r`);
      await terminal.shows('Password: ');
      const before = terminal.shown;
      // A wrong letter, taken back.
      terminal.type(`x\x7f${password}\r`);
      await terminal.shows('Login Succeeded');
      expect(before).not.toContain('heim');
      expect(terminal.shown).not.toContain('heim');
      expect((await terminal.ended).status).toBe(0);
    } finally {
      terminal.close();
    }
    expect(tsbox(['logout', registry.host]).stdout).toContain('Removing');
  });

  it('ends with Ctrl-C at the password, and leaves the terminal as it was', async () => {
    const terminal = new Terminal(['login', '-u', user, registry.host]);
    try {
      const before = terminal.settings();
      await terminal.shows('Password: ');
      expect(terminal.settings()).not.toBe(before);
      terminal.type('\x03');
      const { status, signal } = await terminal.ended;
      expect(status === 130 || signal === 'SIGINT').toBe(true);
      expect(terminal.settings()).toBe(before);
    } finally {
      terminal.close();
    }
  });
});
