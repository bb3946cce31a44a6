import { describe, expect, it } from 'vitest';
import { parseMount, parseTmpfs, parseVolume } from '../../../../src/engine/options/index.ts';
import { fakeHost, refusal } from '../fake-host.ts';

const mountinfo = [
  '22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw',
  '30 22 0:30 / /mnt/private rw - tmpfs tmpfs rw',
  '31 22 0:31 / /mnt/slave\\040mount rw master:5 - tmpfs tmpfs rw',
].join('\n');
const host = fakeHost({
  texts: { '/proc/self/mountinfo': mountinfo },
  statuses: {
    '/srv': { type: 'directory' },
    '/srv/file': { type: 'file' },
    '/home/ada/project': { type: 'directory' },
    '/home/ada/project/data': { type: 'directory' },
    '/home/ada': { type: 'directory' },
    '/mnt/private/x': { type: 'directory' },
    '/mnt/slave mount/x': { type: 'directory' },
  },
});
const volume = (value: string) => parseVolume('-v', value, host);
const mount = (value: string) => parseMount('--mount', value, host);

describe('parseVolume', () => {
  it.each([
    ['/srv:/data', '/srv', '/data', ['rbind', 'rprivate']],
    ['/srv/:/data/', '/srv', '/data', ['rbind', 'rprivate']],
    ['/srv:/data:ro', '/srv', '/data', ['rbind', 'rro', 'rprivate']],
    ['/srv:/data:rw,z', '/srv', '/data', ['rbind', 'rprivate']],
    ['/srv:/data:Z,cached', '/srv', '/data', ['rbind', 'rprivate']],
    [
      '/srv:/data:ro,rslave,nosuid,noexec,nodev',
      '/srv',
      '/data',
      ['rbind', 'rro', 'rslave', 'nosuid', 'noexec', 'nodev'],
    ],
    ['/srv:/data:bind,ro', '/srv', '/data', ['bind', 'ro', 'rprivate']],
    ['/srv/file:/etc/file:ro', '/srv/file', '/etc/file', ['rbind', 'rro', 'rprivate']],
    ['./data:/data', '/home/ada/project/data', '/data', ['rbind', 'rprivate']],
    ['.:/project', '/home/ada/project', '/project', ['rbind', 'rprivate']],
    ['..:/up', '/home/ada', '/up', ['rbind', 'rprivate']],
    ['/srv:/a/../b//c', '/srv', '/b/c', ['rbind', 'rprivate']],
    ['/srv:/proc/meminfo', '/srv', '/proc/meminfo', ['rbind', 'rprivate']],
  ])('%s', (value, source, destination, options) => {
    expect(volume(value)).toEqual({ type: 'bind', source, destination, options });
  });

  it.each([
    ['data:/data', { name: 'data', destination: '/data' }],
    ['my-db_1.x:/a/../data/:rw,z', { name: 'my-db_1.x', destination: '/data' }],
    [
      'data:/data:ro,nocopy,nosuid',
      { name: 'data', destination: '/data', readOnly: true, noCopy: true, options: ['nosuid'] },
    ],
    ['/data', { destination: '/data' }],
  ])('takes %s for a volume', (value, use) => {
    expect(volume(value)).toEqual(use);
  });

  it.each([
    ['', 'not of the form'],
    [':/data', 'not of the form'],
    ['/srv:', 'not of the form'],
    ['/srv:/data:ro:x', 'not of the form'],
    ['/srv:data', 'absolute path'],
    ['/srv:ro', 'absolute path'],
    ['/srv:/', 'nothing can be mounted over the container’s root'],
    ['/srv:/a/..', 'nothing can be mounted over the container’s root'],
    ['~/data:/data', 'neither an absolute path nor the name of a volume'],
    ['.data:/data', 'neither an absolute path nor the name of a volume'],
    ['a/../b:/data', 'neither an absolute path nor the name of a volume'],
    ['..:data', 'absolute path'],
    ['x:/data', 'neither an absolute path nor the name of a volume'],
    ['data:/data:rslave', 'a volume takes ro or rw'],
    ['data:/data:copy,nocopy', 'copy and nocopy exclude each other'],
    ['data:/proc/1', 'over /proc or below it'],
    ['data', 'must be an absolute path'],
    ['/srv:/data:r0', 'did you mean ro?'],
    ['/srv:/data:rprivat', 'did you mean rprivate?'],
    ['/srv:/data:ro,rw', 'ro and rw exclude each other'],
    ['/srv:/data:shared,slave', 'shared and slave exclude each other'],
    ['/srv:/data:ro,', 'no such option: ""'],
    ['/srv\0x:/data', 'NUL'],
    ['/srv:/data\0x', 'NUL'],
  ])('refuses %j', (value, message) => {
    expect(refusal(() => volume(value))).toContain(message);
  });

  it('says that a source is not there, with the code of its own', () => {
    expect(refusal(() => volume('/nowhere:/data'), 'NO_BIND_SOURCE')).toBe(
      '-v /nowhere:/data: /nowhere is not there',
    );
  });

  // What writes to /proc while a container is set up must reach the kernel.
  it.each(['/proc', '/proc/self/attr', '/proc/../proc/sys', '//proc/sys'])(
    'CVE-2019-16884, CVE-2019-19921: refuses a mount at %s',
    (place) => {
      expect(refusal(() => volume(`/srv:${place}`))).toContain('over /proc or below it');
      expect(refusal(() => parseTmpfs('--tmpfs', place))).toContain('over /proc or below it');
      expect(refusal(() => mount(`type=tmpfs,target=${place}`))).toContain('over /proc or below it');
    },
  );

  it('refuses propagation that the source’s mount cannot give', () => {
    expect(volume('/srv:/data:shared').options).toEqual(['rbind', 'shared']);
    expect(volume('/mnt/slave mount/x:/data:rslave').options).toEqual(['rbind', 'rslave']);
    expect(refusal(() => volume('/mnt/slave mount/x:/data:rshared'))).toContain(
      '"/mnt/slave mount", which is not shared',
    );
    expect(refusal(() => volume('/mnt/private/x:/data:slave'))).toContain(
      '/mnt/private, which is not shared or slave',
    );
    expect(volume('/mnt/private/x:/data:private').options).toEqual(['rbind', 'private']);
  });
});

describe('parseMount', () => {
  it.each([
    ['type=bind,source=/srv,target=/data', ['rbind', 'rprivate']],
    ['type=bind,src=/srv,dst=/data,readonly', ['rbind', 'rro', 'rprivate']],
    ['type=BIND,src=/srv,destination=/data,ro=true', ['rbind', 'rro', 'rprivate']],
    ['type=bind,src=/srv,dst=/data,readonly=false', ['rbind', 'rprivate']],
    ['type=bind,src=/srv,dst=/data,ro,bind-nonrecursive', ['bind', 'ro', 'rprivate']],
    ['type=bind,src=/srv,dst=/data,bind-propagation=rslave', ['rbind', 'rslave']],
    ['type=bind,src=/srv,dst=/data,ro,bind-recursive=writable', ['rbind', 'ro', 'rprivate']],
    ['type=bind,"src=/srv","dst=/data"', ['rbind', 'rprivate']],
    ['type=bind,src=/srv,dst=/data,consistency=cached', ['rbind', 'rprivate']],
  ])('%s', (value, options) => {
    expect(mount(value)).toEqual({ type: 'bind', source: '/srv', destination: '/data', options });
  });

  it('reads quoted fields with commas and colons', () => {
    const odd = fakeHost({ statuses: { '/a,b:c"d': { type: 'directory' } } });
    expect(parseMount('--mount', 'type=bind,"source=/a,b:c""d",target=/x', odd)).toMatchObject({
      source: '/a,b:c"d',
    });
  });

  it('makes a tmpfs', () => {
    expect(mount('type=tmpfs,target=/tmp,tmpfs-size=64m,tmpfs-mode=1770,ro')).toEqual({
      type: 'tmpfs',
      source: 'tmpfs',
      destination: '/tmp',
      options: ['noexec', 'nosuid', 'nodev', 'rprivate', 'ro', 'size=67108864', 'mode=1770'],
    });
  });

  it.each([
    ['source=data,target=/data', { name: 'data', destination: '/data' }],
    [
      'type=volume,src=data,dst=/data,readonly,volume-nocopy',
      { name: 'data', destination: '/data', readOnly: true, noCopy: true },
    ],
    ['type=volume,dst=/data', { destination: '/data' }],
    ['src=data,dst=/d,volume-subpath=a//b/../c/', { name: 'data', destination: '/d', subpath: 'a/c' }],
    ['src=data,dst=/d,volume-subpath=..a', { name: 'data', destination: '/d', subpath: '..a' }],
  ])('takes %s for a volume', (value, use) => {
    expect(mount(value)).toEqual(use);
  });

  it.each([
    ['', 'no such key: ""'],
    ['type=bind,src=/srv', 'target is missing'],
    ['type=bind,dst=/data', 'source is missing'],
    ['src=/srv,dst=/data', 'source is not the name of a volume'],
    ['type=volume,src=../a,dst=/data', 'source is not the name of a volume'],
    ['type=volume,src=data,dst=/data,bind-propagation=shared', 'bind-propagation is not for type=volume'],
    ['type=tmpfs,dst=/data,volume-nocopy', 'volume-nocopy is not for type=tmpfs'],
    ['type=bnd,src=/srv,dst=/data', 'did you mean bind?'],
    ['src=data,dst=/d,volume-subpath=/etc', 'volume-subpath is no relative path in the volume'],
    ['src=data,dst=/d,volume-subpath=..', 'volume-subpath is no relative path in the volume'],
    ['src=data,dst=/d,volume-subpath=a/../../b', 'volume-subpath is no relative path in the volume'],
    ['src=data,dst=/d,volume-subpath=', 'volume-subpath is no relative path in the volume'],
    ['src=data,dst=/d,volume-subpath=a\0b', 'volume-subpath has a NUL in it'],
    ['dst=/d,volume-subpath=a', 'volume-subpath needs a source'],
    ['type=bind,src=/srv,dst=/d,volume-subpath=a', 'volume-subpath is not for type=bind'],
    ['type=bind,src=/srv,tagret=/data', 'did you mean target?'],
    ['type=bind,src=srv,dst=/data', 'source must be an absolute path'],
    ['type=bind,src=/srv,dst=data', 'must be an absolute path'],
    ['type=bind,src=/srv,source=/srv,dst=/data', 'source is given twice'],
    ['type=bind,src,dst=/data', 'source needs a value'],
    ['type=bind,src=/srv,dst=/data,readonly=maybe', 'readonly is true or false'],
    ['type=bind,src=/srv,dst=/data,tmpfs-size=1m', 'tmpfs-size is not for type=bind'],
    ['type=tmpfs,src=/srv,dst=/data', 'source is not for type=tmpfs'],
    ['type=tmpfs,dst=/data,bind-nonrecursive', 'bind-nonrecursive is not for type=tmpfs'],
    ['type=bind,src=/srv,dst=/data,bind-propagation=rslav', 'did you mean rslave?'],
    ['type=bind,src=/srv,dst=/data,bind-recursive=no', 'bind-recursive is'],
    ['type=tmpfs,dst=/t,tmpfs-mode=999', 'not a value for mode'],
    ['type=tmpfs,dst=/t,tmpfs-size=big', 'not a size'],
    ['type=bind,"src=/srv', 'a quote is not closed'],
    ['type=bind,constructor=1', 'no such key: "constructor"'],
  ])('refuses %j', (value, message) => {
    expect(refusal(() => mount(value))).toContain(message);
  });

  it('says that a source is not there', () => {
    expect(refusal(() => mount('type=bind,src=/nowhere,dst=/x'), 'NO_BIND_SOURCE')).toContain(
      '/nowhere is not there',
    );
  });
});

describe('parseTmpfs', () => {
  it.each([
    ['/tmp', ['noexec', 'nosuid', 'nodev', 'rprivate']],
    ['/tmp:', ['noexec', 'nosuid', 'nodev', 'rprivate']],
    ['/tmp:rw,size=64m,mode=1777', ['noexec', 'nosuid', 'nodev', 'rprivate', 'rw', 'size=64m', 'mode=1777']],
    ['/tmp:exec,suid,dev', ['rprivate', 'exec', 'suid', 'dev']],
    ['/tmp:ro,rw', ['noexec', 'nosuid', 'nodev', 'rprivate', 'rw']],
    ['/tmp:size=1m,size=50%', ['noexec', 'nosuid', 'nodev', 'rprivate', 'size=50%']],
    [
      '/tmp:uid=1000,gid=1000,nr_inodes=10k',
      ['noexec', 'nosuid', 'nodev', 'rprivate', 'uid=1000', 'gid=1000', 'nr_inodes=10k'],
    ],
  ])('%s', (value, options) => {
    expect(parseTmpfs('--tmpfs', value)).toEqual({
      destination: '/tmp',
      type: 'tmpfs',
      source: 'tmpfs',
      options,
    });
  });

  it.each([
    ['tmp', 'absolute path'],
    ['/', 'over the container’s root'],
    ['/tmp:sise=1m', 'did you mean size?'],
    ['/tmp:noexecc', 'did you mean noexec?'],
    ['/tmp:size', 'no such option: "size"'],
    ['/tmp:noexec=1', 'no such option'],
    ['/tmp:size=big', 'not a value for size'],
    ['/tmp:mode=9', 'not a value for mode'],
    ['/tmp:remount', 'no such option: "remount"'],
    ['/tmp:__proto__=1', 'no such option'],
    ['/tmp:toString', 'no such option'],
    ['/tmp:size=1m\0', 'NUL'],
  ])('refuses %j', (value, message) => {
    expect(refusal(() => parseTmpfs('--tmpfs', value))).toContain(message);
  });
});
