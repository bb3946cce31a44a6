import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { prepare } from '../../../src/engine/prepare.ts';
import { prepareAlike } from '../../../src/engine/prepare-alike.ts';
import type { RunOptions } from '../../../src/engine/run-options.ts';
import type { StoredImage } from '../../../src/image/index.ts';
import { type FakeFiles, fakeHost } from './fake-host.ts';

const A = '0123456789ab'.padEnd(64, 'c');
const B = 'fedcba987654'.padEnd(64, '3');

let directory: string;
let image: StoredImage;

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'tsbox-alike-'));
  const layer = join(directory, 'layer');
  mkdirSync(join(layer, 'etc'), { recursive: true });
  writeFileSync(join(layer, 'etc/passwd'), 'root:x:0:0::/root:/bin/sh\nada:x:1000:1000::/home/ada:/bin/sh\n');
  const digest = `sha256:${'1'.repeat(64)}`;
  const created = new Date(0).toISOString();
  image = { name: 'a', id: digest, digest, created, size: 0, config: { Env: ['A=1'] }, layers: [layer] };
});

afterAll(() => rmSync(directory, { recursive: true, force: true }));

/** What can be compared of it. */
function content({ built, input }: ReturnType<typeof prepare>) {
  return { built, input };
}

/** Each test has a command of its own, so that none gets what another was given. */
let tests = 0;

function start(files: FakeFiles = {}, options: RunOptions = {}) {
  const command = [`program-${tests}`];
  // One host, that changes.
  const host = fakeHost(files);
  return (id: string, change: { files?: FakeFiles; options?: RunOptions; image?: StoredImage } = {}) => {
    const of = [change.image ?? image, command, { ...options, ...change.options }, id] as const;
    Object.assign(host, fakeHost({ ...files, ...change.files }));
    return { alike: prepareAlike(...of, host), fresh: prepare(...of, host) };
  };
}

describe('a container like the one before', () => {
  test.each<[string, RunOptions]>([
    ['without options', {}],
    ['with a user', { user: 'ada', workdir: '/srv' }],
    ['with a name, variables and a host name', { name: 'one', env: { B: '2' }, hostname: 'tower' }],
    ['with a terminal and a tmpfs', { tty: true, tmpfs: ['/run:size=1m'] }],
    ['privileged', { privileged: true }],
    ['read-only, with a parent of its cgroup', { readOnly: true, cgroupParent: '/batch' }],
    ['with the host network', { network: 'host' }],
  ])('is prepared as any other, %s', (_, options) => {
    tests++;
    const prepareFor = start({}, options);
    const first = prepareFor(A);
    expect(content(first.alike)).toEqual(content(first.fresh));
    const second = prepareFor(B);
    expect(second.alike.kind).toBe(first.alike.kind);
    expect(second.alike.kind).toBeDefined();
    expect(content(second.alike)).toEqual(content(second.fresh));
    expect(JSON.stringify(content(second.alike))).not.toContain(A.slice(0, 12));
    // The first one is as it was.
    expect(content(first.alike)).toEqual(content(first.fresh));
  });

  test.each<[string, FakeFiles, RunOptions]>([
    ['its name server', { texts: { '/etc/resolv.conf': 'nameserver 9.9.9.9\n' } }, {}],
    ['a variable', { environment: { TOKEN: 'new' } }, { env: { TOKEN: undefined } }],
    [
      'its limits',
      {
        texts: {
          '/proc/self/limits': 'Max open files            1024                 2048                 files\n',
        },
      },
      {},
    ],
    ['its processors', { texts: { '/sys/devices/system/cpu/possible': '0-3\n' } }, {}],
    [
      'a file that masks look for',
      { statuses: { '/sys/devices/system/cpu/cpu0/thermal_throttle': { type: 'directory' } } },
      {},
    ],
    ['a sysctl', { texts: { '/proc/sys/net/ipv4/ip_unprivileged_port_start': '1024\n' } }, {}],
  ])('is prepared anew when the host has changed: %s', (_, files, options) => {
    tests++;
    const prepareFor = start({ environment: { TOKEN: 'old' } }, options);
    const first = prepareFor(A).alike;
    const { alike, fresh } = prepareFor(B, { files });
    expect(alike.kind).not.toBe(first.kind);
    expect(content(alike)).toEqual(content(fresh));
  });

  test.each<[string, RunOptions]>([
    ['an option', { readOnly: true }],
    ['a variable', { env: { A: '2' } }],
    ["a variable of the host's", { env: { HOME: undefined } }],
    ['whether it is kept', { rm: false }],
  ])('is prepared anew for another one: %s', (_, options) => {
    tests++;
    const prepareFor = start();
    const first = prepareFor(A).alike;
    const { alike, fresh } = prepareFor(B, { options });
    expect(alike.kind).not.toBe(first.kind);
    expect(content(alike)).toEqual(content(fresh));
  });

  test('is prepared anew for another image, command or store', () => {
    tests++;
    const prepareFor = start();
    const { kind } = prepareFor(A).alike;
    expect(prepareFor(B, { image: { ...image } }).alike.kind).not.toBe(kind);
    expect(prepareAlike(image, ['other'], {}, B, fakeHost()).kind).not.toBe(kind);
    vi.stubEnv('TSBOX_ROOT', '/elsewhere');
    try {
      expect(prepareFor(B).alike.kind).not.toBe(kind);
      expect(prepareFor(B).alike.input.overlay?.directory).toBe(`/elsewhere/containers/${B}`);
    } finally {
      vi.unstubAllEnvs();
    }
  });

  test('is always prepared anew where more counts than the host: a file with a profile', () => {
    tests++;
    const profile = join(directory, 'profile.json');
    const prepareFor = start({}, { securityOpt: [`seccomp=${profile}`] });
    writeFileSync(profile, JSON.stringify({ defaultAction: 'SCMP_ACT_ALLOW' }));
    const before = prepareFor(A).alike;
    expect(before.kind).toBeUndefined();
    const syscalls = [{ names: ['mkdir'], action: 'SCMP_ACT_ERRNO' }];
    writeFileSync(profile, JSON.stringify({ defaultAction: 'SCMP_ACT_ALLOW', syscalls }));
    expect(prepareFor(B).alike.input.seccomp).not.toEqual(before.input.seccomp);
  });
});
