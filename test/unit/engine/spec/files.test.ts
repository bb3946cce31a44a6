import { describe, expect, it } from 'vitest';
import { refusal } from '../fake-host.ts';
import { build } from './alpine.ts';

const host = { statuses: { '/srv': { type: 'directory' as const }, '/a': { type: 'directory' as const } } };
const places = (options: object) => build(options, { host }).spec.mounts.map((mount) => mount.destination);
const standard = ['/proc', '/dev', '/dev/pts', '/sys', '/sys/fs/cgroup', '/dev/mqueue', '/dev/shm'];

describe('mounts', () => {
  it('come after the standard ones, parents before children', () => {
    expect(
      places({ volumes: ['/srv:/x/y/z', '/srv:/x'], tmpfs: ['/x/y'], mounts: ['type=bind,src=/a,dst=/w'] }),
    ).toEqual([...standard, '/x', '/w', '/x/y', '/x/y/z']);
  });
  it('take the place of a standard one', () => {
    expect(places({ tmpfs: ['/dev/shm'] })).toEqual([...standard.slice(0, -1), '/dev/shm']);
    expect(build({ tmpfs: ['/dev/shm:size=1m'] }).spec.mounts.at(-1)?.options).toContain('size=1m');
    expect(places({ volumes: ['/srv:/dev'] })).toEqual(['/proc', '/sys', '/sys/fs/cgroup', '/dev']);
  });
  it('cannot be twice at a place', () => {
    expect(refusal(() => places({ volumes: ['/srv:/x', '/a:/x/'] }))).toBe(
      '--volume: duplicate mount point: /x',
    );
    expect(refusal(() => places({ volumes: ['/srv:/x'], tmpfs: ['/x'] }))).toBe(
      '--tmpfs: duplicate mount point: /x',
    );
  });
  it('decide the propagation of the root', () => {
    const propagation = (volumes: string[]) => build({ volumes }, { host }).spec.linux.rootfsPropagation;
    expect(propagation(['/srv:/x'])).toBeUndefined();
    expect(propagation(['/srv:/x:rslave'])).toBe('rslave');
    expect(propagation(['/srv:/x:rslave', '/a:/y:shared'])).toBe('shared');
  });
  it('have the size of /dev/shm that was asked for', () => {
    expect(build({ shmSize: '1m' }).spec.mounts.at(-1)?.options).toContain('size=1048576');
    expect(refusal(() => build({ shmSize: 'big' }))).toContain('--shm-size big: not a size');
  });
  it('share the host’s /dev/shm with its IPC namespace', () => {
    expect(build({ ipc: 'host' }).spec.mounts.at(-1)).toEqual({
      destination: '/dev/shm',
      type: 'bind',
      source: '/dev/shm',
      options: ['rbind', 'rprivate', 'nosuid', 'noexec', 'nodev'],
    });
  });
  it('have a volume at each place where the image wants one', () => {
    const config = { Cmd: ['x'], Volumes: { '/var/lib/data': {} } };
    const { spec, volumes } = build({}, { config });
    expect(spec.mounts.map((mount) => mount.destination)).toEqual([...standard, '/var/lib/data']);
    const [use] = volumes ?? [];
    expect(use).toEqual({
      destination: '/var/lib/data',
      name: expect.stringMatching(/^[0-9a-f]{64}$/),
      anonymous: true,
    });
    expect(spec.mounts.at(-1)).toEqual({
      destination: '/var/lib/data',
      type: 'bind',
      source: `/var/lib/tsbox/volumes/${use?.name}/_data`,
      options: ['rbind', 'rprivate'],
    });
  });
  it('of volumes have the ids of the container', () => {
    const mount = (options: object) => build(options).spec.mounts.at(-1);
    const volumes = ['data:/data:ro,nosuid'];
    expect(mount({ volumes })?.options).toEqual(['rbind', 'rprivate', 'rro', 'nosuid']);
    expect(mount({ volumes, userns: '100000:100000:65536' })?.options).toContain('idmap');
  });
  it('of a volume that is a directory of the host have that', () => {
    const text = JSON.stringify({ name: 'data', options: { type: 'none', o: 'bind', device: '/srv/x' } });
    const host = { texts: { '/var/lib/tsbox/volumes/data/volume.json': text } };
    const { spec } = build({ volumes: ['data:/data'], userns: '100000:100000:65536' }, { host });
    expect(spec.mounts.at(-1)).toEqual({
      destination: '/data',
      type: 'bind',
      source: '/srv/x',
      options: ['rbind', 'rprivate'],
    });
  });
  it('have a read-only root where asked', () => {
    expect(build({ readOnly: true }).spec.root).toEqual({ path: 'rootfs', readonly: true });
  });
});

describe('provided files', () => {
  const resolv = (options: object, texts: Record<string, string>) =>
    build(options, { host: { texts } }).files.find((file) => file.path === '/etc/resolv.conf')?.content;

  it('leave out servers on the host’s loopback', () => {
    const text = 'nameserver 127.0.0.53\nnameserver ::1\nnameserver 2001:db8::1\noptions edns0\n';
    expect(resolv({}, { '/etc/resolv.conf': text })).toBe('nameserver 2001:db8::1\noptions edns0\n');
  });
  it('have Docker’s servers where none is left', () => {
    const servers = 'nameserver 8.8.8.8\nnameserver 8.8.4.4\n';
    expect(resolv({}, { '/etc/resolv.conf': 'nameserver 127.0.0.1\nsearch x\n' })).toBe(
      `${servers}search x\n`,
    );
    expect(resolv({}, {})).toBe(servers);
  });
  it('ask whom systemd-resolved asks', () => {
    expect(
      resolv(
        {},
        {
          '/etc/resolv.conf': 'nameserver 127.0.0.53\nsearch stub\n',
          '/run/systemd/resolve/resolv.conf': '# x\nnameserver 192.0.2.1\nsearch real\n',
        },
      ),
    ).toBe('nameserver 192.0.2.1\nsearch real\n');
  });
  it('are the host’s with its network', () => {
    const texts = {
      '/etc/resolv.conf': '# mine\nnameserver 127.0.0.53\n',
      '/etc/hosts': '192.0.2.9 printer\n',
    };
    expect(build({ network: 'host' }, { host: { texts } }).files).toEqual([
      { path: '/etc/hostname', content: 'tower\n', mode: 0o644 },
      { path: '/etc/hosts', content: '192.0.2.9 printer\n', mode: 0o644 },
      { path: '/etc/resolv.conf', content: '# mine\nnameserver 127.0.0.53\n', mode: 0o644 },
    ]);
  });
  it('have the name servers that were asked for', () => {
    const texts = { '/etc/resolv.conf': 'nameserver 192.0.2.1\nsearch lan\noptions edns0\nsortlist x\n' };
    expect(resolv({ dns: ['192.0.2.7', '2001:db8::7'] }, texts)).toBe(
      'nameserver 192.0.2.7\nnameserver 2001:db8::7\nsearch lan\noptions edns0\nsortlist x\n',
    );
    expect(resolv({ dnsSearch: ['a.example', 'b.example'], dnsOption: ['ndots:2', 'rotate'] }, texts)).toBe(
      'nameserver 192.0.2.1\nsearch a.example b.example\noptions ndots:2 rotate\nsortlist x\n',
    );
    expect(resolv({ dnsSearch: ['.'] }, texts)).toBe('nameserver 192.0.2.1\noptions edns0\nsortlist x\n');
    expect(
      resolv(
        { network: 'host', dns: ['192.0.2.7'] },
        { '/etc/resolv.conf': 'nameserver 127.0.0.53\nsearch lan\n' },
      ),
    ).toBe('nameserver 192.0.2.7\nsearch lan\n');
    expect(resolv({ dnsSearch: ['x'] }, {})).toBe('nameserver 8.8.8.8\nnameserver 8.8.4.4\nsearch x\n');
  });
  it('have the hosts that were asked for', () => {
    const hosts = (options: object, texts = {}) =>
      build(options, { host: { texts } }).files.find((file) => file.path === '/etc/hosts')?.content;
    expect(hosts({ addHost: ['db:192.0.2.7', 'db:2001:db8::7'] })).toMatch(
      /^127\.0\.0\.1\tlocalhost\n.*ff02::2\tip6-allrouters\n192\.0\.2\.7\tdb\n2001:db8::7\tdb\n$/s,
    );
    const texts = { '/etc/hosts': '192.0.2.9 printer' };
    expect(hosts({ network: 'host', addHost: ['h:host-gateway'] }, texts)).toBe(
      '192.0.2.9 printer\n127.0.0.1\th\n',
    );
    expect(refusal(() => hosts({ network: 'none', addHost: ['h:host-gateway'] }))).toBe(
      '--add-host h:host-gateway: there is no way to the host with --network none',
    );
  });
  it('give way to what was mounted there', () => {
    expect(build({ volumes: ['/a:/etc/hosts'] }, { host }).files.map((file) => file.path)).toEqual([
      '/etc/hostname',
      '/etc/resolv.conf',
    ]);
  });
});
