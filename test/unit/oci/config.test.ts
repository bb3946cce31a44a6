import {
  mkdirSync,
  mkdtempSync,
  realpathSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import type { TsboxError } from '../../../src/kernel/error.ts';
import { parseConfig, readConfig } from '../../../src/oci/config/index.ts';
import { fullConfig } from './full-config.ts';

const bundle = realpathSync(mkdtempSync(join(tmpdir(), 'tsbox-oci-config-')));
mkdirSync(join(bundle, 'rootfs'));
afterAll(() => rmSync(bundle, { recursive: true }));

type Path = (string | number)[];

/** The error of a configuration in which the part at `path` has this value instead. */
function refusal(path: Path, value: unknown): TsboxError | undefined {
  const config = fullConfig();
  // biome-ignore lint/suspicious/noExplicitAny: any part of it
  let part: any = config;
  for (const step of path.slice(0, -1)) part = part[step];
  part[path.at(-1) as string] = value;
  try {
    parseConfig(JSON.parse(JSON.stringify(config)), bundle);
    return undefined;
  } catch (error) {
    return error as TsboxError;
  }
}

/** Every part of the configuration, and what it is. */
function parts(value: unknown, at: Path = []): [Path, unknown][] {
  const own: [Path, unknown][] = at.length === 0 ? [] : [[at, value]];
  if (typeof value !== 'object' || value === null) return own;
  const entries = Array.isArray(value) ? [...value.entries()] : Object.entries(value);
  return [...own, ...entries.flatMap(([key, element]) => parts(element, [...at, key]))];
}

const written = (path: Path) =>
  path
    .map((step, index) => (typeof step === 'number' ? `[${step}]` : index === 0 ? step : `.${step}`))
    .join('');

describe('a configuration', () => {
  test('with every field is understood', () => {
    const config = parseConfig(fullConfig(), bundle);
    expect(config.root).toEqual({ path: join(bundle, 'rootfs'), readonly: true });
    expect(config.process.user).toEqual({ uid: 1, gid: 2, umask: 18, additionalGids: [3, 4] });
    expect(config.linux.resources?.unified).toEqual({
      'hugetlb.2MB.max': '0',
      'rdma.max': 'mlx5_1 hca_handle=3 hca_object=10000',
      'memory.high': '1000',
    });
    expect(config.linux.namespaces[2]).toEqual({ type: 'network', path: '/proc/1/ns/net' });
    expect(config.hooks.poststop).toEqual([{ path: '/bin/true', args: ['true'], env: ['A=b'], timeout: 3 }]);
  });

  test('may have properties that nobody knows, and null for what is empty', () => {
    const config = { ...fullConfig(), hostname: null, constructor: 1, 'org.example': {} };
    expect(parseConfig(config, bundle)).not.toHaveProperty('hostname');
    const strange = JSON.parse('{"__proto__": "polluted"}');
    const { annotations = {} } = parseConfig({ ...fullConfig(), annotations: strange }, bundle);
    expect(Object.entries(annotations)).toEqual([['__proto__', 'polluted']]);
  });
});

describe('every part of a wrong type is refused by its path', () => {
  const wrong: Record<string, unknown[]> = {
    string: [1, true, {}, ['x']],
    number: ['1', true, {}, [1], 1.5, 1e300, -1e300],
    boolean: ['true', 1, {}, []],
    object: ['x', 1, true],
  };
  const unnamed = /^(annotations|linux\.(sysctl|resources\.(unified|rdma)))/;
  test.each(parts(fullConfig()).map(([path, value]) => ({ name: written(path), path, value })))(
    '$name',
    ({ path, value, name }) => {
      for (const other of wrong[typeof value] as unknown[]) {
        if (
          typeof value === 'object' &&
          Array.isArray(value) === Array.isArray(other) &&
          typeof other === 'object'
        )
          continue;
        const error = refusal(path, other);
        expect(error, `${name} = ${JSON.stringify(other)}`).toBeDefined();
        expect(error?.message.split(':')[0]).toContain(
          unnamed.test(name)
            ? name
                .split('[')[0]
                ?.split('.')
                .slice(0, 2)
                .join('.')
                .replace(/^annotations\..*/, 'annotations')
            : name,
        );
        expect(error).toMatchObject({ code: 'BAD_CONFIG', exitCode: 1 });
        expect(error?.message).not.toContain('\n');
      }
    },
  );
});

describe('every text is one that the kernel can take', () => {
  // The name of a system call that nobody knows is left out, whatever it is.
  const isName = (path: Path) => path.includes('names');
  const texts = parts(fullConfig()).filter(([path, value]) => typeof value === 'string' && !isName(path));
  test.each(texts.map(([path]) => ({ name: written(path), path })))('$name', ({ path, name }) => {
    for (const bad of ['a\0b', '\ud800']) {
      const error = refusal(path, bad);
      expect(error, `${name} = ${JSON.stringify(bad)}`).toMatchObject({ code: 'BAD_CONFIG', exitCode: 1 });
    }
  });
});

test.each<[Path, unknown, string]>([
  [['ociVersion'], '2.0.0', 'ociVersion: 2.0.0 is not supported'],
  [['ociVersion'], 'new', 'ociVersion: expected a version'],
  [['process', 'args'], [], 'process.args: must not be empty'],
  [['process', 'cwd'], 'relative', 'process.cwd: must be an absolute path'],
  [['process', 'env', 0], 'NOVALUE', 'process.env[0]: expected NAME=VALUE'],
  [['process', 'user', 'uid'], 2 ** 32 - 1, 'process.user.uid: expected 0 to 4294967294'],
  [['process', 'oomScoreAdj'], 1001, 'process.oomScoreAdj: expected -1000 to 1000'],
  [['process', 'rlimits', 0, 'type'], 'RLIMIT_NOTHING', 'process.rlimits[0].type: unknown'],
  [['process', 'rlimits', 0, 'soft'], 21, 'process.rlimits[0].soft: 21 is more than the hard limit'],
  [['process', 'selinuxLabel'], 'system_u:x', 'process.selinuxLabel: SELinux labels are not supported'],
  [['process', 'execCPUAffinity', 'final'], '1-', 'process.execCPUAffinity.final: expected a list of CPUs'],
  [
    ['process', 'capabilities', 'bounding', 0],
    'kill',
    'process.capabilities.bounding[0]: there is no capability',
  ],
  [['root', 'path'], 'absent', 'root.path:'],
  [['mounts', 1, 'uidMappings'], undefined, 'mounts[1].uidMappings: is missing'],
  [['mounts', 1, 'source'], undefined, 'mounts[1].source: is missing'],
  [['mounts', 0, 'destination'], '/../', 'mounts[0].destination: the root cannot be mounted over'],
  [['hooks', 'prestart', 0, 'path'], 'true', 'hooks.prestart[0].path: must be an absolute path'],
  [['hooks', 'prestart', 0, 'timeout'], 0, 'hooks.prestart[0].timeout: must be greater than 0'],
  [['linux', 'namespaces'], [], 'linux.uidMappings: needs a user namespace'],
  [['linux', 'namespaces', 1, 'type'], 'mount', 'linux.namespaces[1]: a second namespace of type mount'],
  [
    ['linux', 'namespaces', 0, 'path'],
    '/proc/1/ns/mnt',
    'linux.namespaces[0].path: a mount namespace cannot be joined',
  ],
  [['linux', 'intelRdt'], { closID: 'x' }, 'linux.intelRdt: Intel RDT is not supported'],
  [['linux', 'seccomp', 'listenerPath'], 7, 'linux.seccomp.listenerPath:'],
  [['linux', 'seccomp', 'listenerPath'], `/${'x'.repeat(107)}`, 'linux.seccomp.listenerPath:'],
  [['linux', 'seccomp', 'listenerMetadata'], {}, 'linux.seccomp.listenerMetadata:'],
  [
    ['linux', 'seccomp', 'syscalls'],
    [{ names: ['mkdir'], action: 'SCMP_ACT_NOTIFY' }],
    'linux.seccomp.listenerPath:',
  ],
  [['linux', 'seccomp', 'defaultAction'], 'SCMP_ACT_NOTIFY', 'linux.seccomp.defaultAction:'],
  [
    ['linux', 'sysctl'],
    { '../../etc/passwd': 'x' },
    'linux.sysctl["../../etc/passwd"]: is not the name of a sysctl',
  ],
  [['linux', 'resources', 'unified'], { 'x/../y': '1' }, 'linux.resources.unified["x/../y"]:'],
  [['linux', 'resources', 'cpu', 'realtimeRuntime'], 1, 'linux.resources.cpu.realtimeRuntime:'],
  [['linux', 'resources', 'network'], { classID: 1 }, 'linux.resources.network:'],
  [['linux', 'devices', 0, 'path'], '/dev/', 'linux.devices[0].path: is a directory'],
  [['linux', 'devices', 0, 'major'], undefined, 'linux.devices[0].major: is missing'],
  [['linux', 'personality', 'flags'], ['ADDR_NO_RANDOMIZE'], 'linux.personality.flags:'],
  [['linux', 'mountLabel'], 'label', 'linux.mountLabel: SELinux'],
])('%j = %j', (path, value, message) => {
  expect(refusal(path, value)?.message).toContain(message);
  expect(refusal(path, value)).toMatchObject({ code: 'BAD_CONFIG', exitCode: 1 });
});

test('a capability is ambient only where it can be: Buildah gives it without the inheritable set', () => {
  const config = fullConfig();
  config.process.capabilities.inheritable = [];
  expect(parseConfig(config, bundle).process.capabilities).toMatchObject({
    permitted: ['CAP_KILL'],
    ambient: [],
  });
  expect(parseConfig(fullConfig(), bundle).process.capabilities).toMatchObject({ ambient: ['CAP_KILL'] });
});

describe('the file', () => {
  const write = (content: string | Buffer) => writeFileSync(join(bundle, 'config.json'), content);
  const error = () => {
    try {
      readConfig(bundle);
    } catch (error) {
      return error as TsboxError;
    }
    throw new Error('it was accepted');
  };
  test('that is absent', () => {
    rmSync(join(bundle, 'config.json'), { force: true });
    expect(error().message).toBe(`open ${bundle}/config.json: no such file or directory`);
  });
  test('that is not JSON, not UTF-8, too deep, too large', () => {
    write('{"ociVersion": ');
    expect(error().message).toContain('config.json:1:16: not JSON');
    write(Buffer.from([0x7b, 0xff, 0x7d]));
    expect(error().message).toContain('is not UTF-8');
    write('['.repeat(100_000));
    expect(error()).toMatchObject({ code: 'BAD_CONFIG', exitCode: 1 });
    write('');
    truncateSync(join(bundle, 'config.json'), 17 * 1024 * 1024);
    expect(error().message).toContain('is larger than');
  });
  test('that is a directory', () => {
    rmSync(join(bundle, 'config.json'));
    mkdirSync(join(bundle, 'config.json'));
    expect(error().message).toContain('is not a regular file');
    rmSync(join(bundle, 'config.json'), { recursive: true });
  });
});

test('a root that is a symlink is the directory that it leads to now', () => {
  symlinkSync('rootfs', join(bundle, 'link'));
  const config = parseConfig({ ...fullConfig(), root: { path: 'link' } }, bundle);
  expect(config.root.path).toBe(join(bundle, 'rootfs'));
});
