import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Terminal } from '../support/pty.ts';
import { type Registry, registryMissing, startRegistry } from '../support/registry.ts';
import { cli, describeRoot, environment, image, scratch, store, tsbox } from '../support/tsbox.ts';
import { watchMemory } from './support/memory.ts';

describeRoot('save, load and push as commands', () => {
  const directory = scratch();
  const elsewhere = { TSBOX_ROOT: join(directory, 'elsewhere') };
  const ids = (env?: NodeJS.ProcessEnv) => tsbox(['images', '-q', '--no-trunc'], env && { env }).stdout;

  it('saves to a file, and loads from it in another store, where it runs', () => {
    const path = join(directory, 'saved.tar');
    expect(tsbox(['save', '-o', path, image])).toEqual({ status: 0, stdout: '', stderr: '' });
    expect(readdirSync(directory)).toEqual(['saved.tar']);
    const loaded = tsbox(['load', '-i', path], { env: elsewhere });
    expect(loaded).toEqual({ status: 0, stdout: `Loaded image: ${image}:latest\n`, stderr: '' });
    expect(ids(elsewhere)).toContain(ids().split('\n')[0]);
    const ran = tsbox(['run', '--rm', image, 'echo', 'hello'], { env: elsewhere });
    expect(ran).toEqual({ status: 0, stdout: 'hello\n', stderr: '' });
  });

  it.each(['gzip', 'zstd', 'xz'])('passes through a pipe and %s', (program) => {
    const env = { TSBOX_ROOT: join(directory, program) };
    const script = `"$1" save "$2" | ${program} -1 | TSBOX_ROOT="$3" "$1" load -q`;
    const output = execFileSync('sh', ['-c', script, 'sh', cli, image, env.TSBOX_ROOT], {
      env: environment(),
      encoding: 'utf8',
    });
    expect(output).toBe(`Loaded image: ${image}:latest\n`);
    expect(ids(env)).toContain(ids().split('\n')[0]);
  });

  it('says the id of an image without a name', () => {
    const id = tsbox(['images', '-q', '--no-trunc']).stdout.split('\n')[0] as string;
    const { stdout } = tsbox(['save', id.slice(7, 19)]);
    expect(stdout.length).toBeGreaterThan(1000);
    const path = join(directory, 'nameless.tar');
    tsbox(['save', '-o', path, id.slice(7, 19)]);
    const loaded = tsbox(['load', '-i', path], { env: { TSBOX_ROOT: join(directory, 'nameless') } });
    expect(loaded.stdout).toBe(`Loaded image ID: ${id}\n`);
  });

  it('writes no archive to a terminal', async () => {
    const terminal = new Terminal(['save', image]);
    expect(await terminal.ended).toEqual({ status: 125, signal: null });
    expect(terminal.shown).toContain('an archive is not written to a terminal');
    const reading = new Terminal(['load']);
    expect(await reading.ended).toEqual({ status: 125, signal: null });
    expect(reading.shown).toContain('there is no archive on standard input');
  });

  it('keeps the file that is there where saving fails', () => {
    const path = join(directory, 'kept.tar');
    writeFileSync(path, 'before');
    const failed = tsbox(['save', '-o', path, image, 'none']);
    expect(failed).toMatchObject({ status: 125, stdout: '' });
    expect(failed.stderr).toContain('there is no image `none`');
    expect(tsbox(['save', '-o', join(directory, 'no/such', 'x.tar'), image]).stderr).toMatch(
      /^tsbox: cannot write `.*x\.tar`: there is no such directory\n$/,
    );
    expect(tsbox(['save', '-o', '/dev/full', image]).stderr).toBe(
      'tsbox: cannot write `/dev/full`: no space is left on its disk\n',
    );
    expect(readFileSync(path, 'utf8')).toBe('before');
    expect(readdirSync(directory).filter((name) => name.endsWith('.new'))).toEqual([]);
  });

  it.each([
    [['save'], 'missing required argument'],
    [['save', '--format', 'zip', 'x'], 'none of docker-archive, oci-archive'],
    [['load', 'x'], 'too many arguments'],
    [['load', '-i', '/nonexistent'], 'cannot load `/nonexistent`: there is no such file'],
    [['load'], 'cannot load `-`: it is empty'],
    [['push'], 'missing required argument'],
    [['push', '--tls-verify=perhaps', 'x'], '--tls-verify is true or false'],
  ])('refuses %j in a line', (args, message) => {
    const { status, stdout, stderr } = tsbox(args);
    expect({ status, stdout }).toEqual({ status: 125, stdout: '' });
    expect(stderr.split('\n')[0]).toContain(message);
  });

  it('saves and loads 300 MB in less than 150 MB of memory', async () => {
    const env = { ...environment(), TSBOX_ROOT: join(directory, 'large') };
    const tree = join(directory, 'tree');
    mkdirSync(tree);
    execFileSync('sh', ['-c', 'head -c 300000000 /dev/urandom >"$1/large"', 'sh', tree]);
    execFileSync('sh', ['-c', 'tar -C "$1" -c . | "$2" import -q - large', 'sh', tree, cli], { env });
    const save = spawn(cli, ['save', 'large'], { env, stdio: ['ignore', 'pipe', 'ignore'] });
    const load = spawn(cli, ['load'], {
      env: { ...env, TSBOX_ROOT: join(directory, 'large-too') },
      stdio: [save.stdout, 'ignore', 'ignore'],
    });
    const peaks = [save, load].map(({ pid }) => watchMemory(pid as number));
    const ended = await Promise.all([save, load].map((each) => once(each, 'exit')));
    expect(ended).toEqual([
      [0, null],
      [0, null],
    ]);
    for (const peak of peaks) expect(peak()).toBeLessThan(150e6);
  });

  const without = registryMissing === undefined ? '' : ` (skipped: ${registryMissing})`;
  describe.skipIf(registryMissing !== undefined)(`with a registry${without}`, () => {
    let registry: Registry;
    beforeAll(async () => {
      registry = await startRegistry();
    });
    afterAll(() => registry.stop());

    it('goes to a registry and back', () => {
      const name = `${registry.host}/round/trip:1`;
      expect(tsbox(['tag', image, name])).toMatchObject({ status: 0, stderr: '' });
      const { digest, size } = JSON.parse(
        readFileSync(join(store, 'images/index.json'), 'utf8'),
      ).manifests.find((line: { annotations: object }) => Object.values(line.annotations).includes(name));
      const layer = JSON.parse(
        readFileSync(join(store, 'images/blobs/sha256', digest.slice(7)), 'utf8'),
      ).layers[0].digest.slice(7, 19);
      expect(tsbox(['push', name])).toEqual({
        status: 0,
        stdout: [
          `The push refers to repository [${registry.host}/round/trip]`,
          `${layer}: Preparing`,
          `${layer}: Pushed`,
          `1: digest: ${digest} size: ${size}`,
          '',
        ].join('\n'),
        stderr: '',
      });
      expect(tsbox(['push', name]).stdout).toContain(`${layer}: Layer already exists\n`);
      expect(tsbox(['push', '-q', name])).toEqual({ status: 0, stdout: `${name}\n`, stderr: '' });
      expect(tsbox(['push', '-a', `${registry.host}/round/trip`]).stdout).toContain(`1: digest: ${digest}`);
      expect(tsbox(['rmi', name])).toMatchObject({ status: 0 });
      const env = { TSBOX_ROOT: join(directory, 'pulled') };
      expect(tsbox(['pull', '-q', name], { env })).toMatchObject({ status: 0, stderr: '' });
      const ran = tsbox(['run', '--rm', name, 'echo', 'back again'], { env });
      expect(ran).toEqual({ status: 0, stdout: 'back again\n', stderr: '' });
      const [line] = JSON.parse(readFileSync(join(env.TSBOX_ROOT, 'images/index.json'), 'utf8')).manifests;
      expect(line.digest).toBe(digest);
    });

    it('says what is wrong', async () => {
      expect(tsbox(['push', `${registry.host}/not/here`])).toMatchObject({ status: 125, stdout: '' });
      tsbox(['tag', image, '127.0.0.1:1/x']);
      const { status, stderr } = tsbox(['push', '127.0.0.1:1/x']);
      tsbox(['rmi', '127.0.0.1:1/x']);
      expect(status).toBe(125);
      expect(stderr).toMatch(/^(?:tsbox: .*\n)*tsbox: .*127\.0\.0\.1:1.*\n/);
    });
  });

  it('leaves nothing unfinished in the store', () => {
    for (const part of ['images', 'layers'])
      expect(readdirSync(join(store, part)).filter((name) => name.startsWith('.unfinished'))).toEqual([]);
    expect(existsSync(join(store, 'images/index.json'))).toBe(true);
  });
});
