import { describe, expect, it } from 'vitest';
import { deviceNumbers } from '../../../../src/engine/host.ts';
import { parseDevice, parseDeviceRule, parseThrottle } from '../../../../src/engine/options/index.ts';
import { fakeHost, refusal } from '../fake-host.ts';

const fuse = { type: 'character', major: 10, minor: 229, mode: 0o666 } as const;
const host = fakeHost({
  statuses: {
    '/dev/fuse': fuse,
    '/dev/sda': { type: 'block', major: 8, minor: 0, mode: 0o660, gid: 6 },
    '/dev/snd': { type: 'directory' },
    '/dev/snd/by-path': { type: 'directory' },
    '/dev/snd/by-path/deep': { type: 'character', major: 116, minor: 3, mode: 0o660 },
    '/dev/snd/controlC0': { type: 'character', major: 116, minor: 2, mode: 0o660, gid: 29 },
    '/dev/snd/readme': { type: 'file' },
    '/dev/empty': { type: 'directory' },
    '/etc/passwd': { type: 'file' },
  },
  links: { '/dev/disk': '/dev/sda', '/dev/snd/loop': '/dev/snd', '/dev/sound': '/dev/snd' },
});
const parse = (value: string) => parseDevice('--device', value, host);

describe('parseDevice', () => {
  const device = { type: 'c', path: '/dev/fuse', major: 10, minor: 229, fileMode: 0o666, uid: 0, gid: 0 };
  const rule = { allow: true, type: 'c', major: 10, minor: 229, access: 'rwm' };

  it.each([
    ['/dev/fuse', '/dev/fuse', 'rwm'],
    ['/dev/fuse:r', '/dev/fuse', 'r'],
    ['/dev/fuse:/dev/x/y', '/dev/x/y', 'rwm'],
    ['/dev/fuse:/dev/x:wr', '/dev/x', 'wr'],
  ])('%s', (value, path, access) => {
    expect(parse(value)).toEqual({ devices: [{ ...device, path }], rules: [{ ...rule, access }] });
  });

  it('follows a link, and keeps the name that was given', () => {
    expect(parse('/dev/disk').devices).toEqual([
      { type: 'b', path: '/dev/disk', major: 8, minor: 0, fileMode: 0o660, uid: 0, gid: 6 },
    ]);
  });

  it('takes all devices of a directory, and no link in it', () => {
    for (const source of ['/dev/snd', '/dev/sound:/dev/snd']) {
      const { devices, rules } = parse(`${source}:rw`);
      expect(devices.map((each) => [each.path, each.minor])).toEqual([
        ['/dev/snd/by-path/deep', 3],
        ['/dev/snd/controlC0', 2],
      ]);
      expect(rules.map((each) => [each.type, each.major, each.minor, each.access])).toEqual([
        ['c', 116, 3, 'rw'],
        ['c', 116, 2, 'rw'],
      ]);
    }
  });

  it.each([
    ['', 'absolute path'],
    ['fuse', 'absolute path'],
    ['/dev/nothing', '/dev/nothing is not there'],
    ['/etc/passwd:/dev/x', 'is not a device'],
    ['/dev/empty', 'is not a device'],
    ['/dev/fuse:rx', 'not of the form'],
    ['/dev/fuse:rr', 'not of the form'],
    ['/dev/fuse:', 'not of the form'],
    ['/dev/fuse:/dev/x:/dev/y', 'not of the form'],
    ['/dev/fuse:/etc/x', 'below /dev'],
    ['/dev/fuse:/dev/../etc/x', 'below /dev'],
    ['/dev/fuse:/device', 'below /dev'],
    ['/dev/fuse:/dev', 'cannot take the place of /dev'],
    ['/dev/fuse\0:r', 'NUL'],
  ])('refuses %j', (value, message) => {
    expect(refusal(() => parse(value))).toContain(message);
  });
});

describe('parseDeviceRule', () => {
  it.each([
    ['c 1:3 rwm', { allow: true, type: 'c', major: 1, minor: 3, access: 'rwm' }],
    ['b 8:* r', { allow: true, type: 'b', major: 8, minor: -1, access: 'r' }],
    ['a *:* rwm', { allow: true, type: 'a', major: -1, minor: -1, access: 'rwm' }],
  ])('%s', (value, rule) => {
    expect(parseDeviceRule('--device-cgroup-rule', value)).toEqual(rule);
  });
  it.each(['', 'c 1:3', 'd 1:3 r', 'c 1:3 x', 'c  1:3 r', 'c 1 r', 'c -1:3 r', 'c 1:3 rwmr', 'c 1:3 r\n'])(
    'refuses %j',
    (value) => {
      expect(refusal(() => parseDeviceRule('--device-cgroup-rule', value))).toContain('not of the form');
    },
  );
});

describe('parseThrottle', () => {
  it('reads bytes and operations a second', () => {
    expect(parseThrottle('--device-read-bps', '/dev/sda:10m', 'bytes', host)).toEqual({
      major: 8,
      minor: 0,
      rate: 10485760,
    });
    expect(parseThrottle('--device-read-iops', '/dev/disk:100', 'operations', host)).toEqual({
      major: 8,
      minor: 0,
      rate: 100,
    });
  });
  it.each([
    ['/dev/sda', 'bytes', 'not of the form'],
    ['sda:1m', 'bytes', 'not of the form'],
    ['/dev/sda:fast', 'bytes', 'not a size'],
    ['/dev/sda:0', 'bytes', 'at least 1'],
    ['/dev/sda:1k', 'operations', 'not a whole number'],
    ['/dev/sda:0', 'operations', 'range from 1'],
    ['/dev/nothing:1m', 'bytes', 'is not there'],
    ['/dev/fuse:1m', 'bytes', 'not a block device'],
    ['/dev/snd:1m', 'bytes', 'not a block device'],
  ] as const)('refuses %s of %s', (value, unit, message) => {
    expect(refusal(() => parseThrottle('--device-read-bps', value, unit, host))).toContain(message);
  });
});

it('takes device numbers apart as makedev(3) puts them together', () => {
  expect(deviceNumbers(0x103)).toEqual({ major: 1, minor: 3 });
  expect(deviceNumbers(0x800)).toEqual({ major: 8, minor: 0 });
  // 259:300, as glibc's gnu_dev_makedev gives it.
  expect(deviceNumbers(0x11032c)).toEqual({ major: 259, minor: 300 });
});
