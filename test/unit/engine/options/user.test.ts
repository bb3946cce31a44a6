import { describe, expect, it } from 'vitest';
import { resolveUser } from '../../../../src/engine/options/index.ts';
import { refusal } from '../fake-host.ts';

const passwd = [
  'root:x:0:0:root:/root:/bin/ash',
  'bin:x:1:1:bin:/bin:/sbin/nologin',
  '# a comment',
  'broken',
  'broken:x:a:b::/:',
  ':x:77:77::/nameless:/bin/sh',
  'ada:x:1000:1001:Ada,,,:/home/ada:/bin/sh',
  'ada:x:2000:2000:second:/home/second:/bin/sh',
  '4242:x:7:7:a number for a name:/seven:/bin/sh',
  'huge:x:4294967295:0::/:/bin/sh',
  'nohome:x:1002:1002:::',
].join('\n');
const group = [
  'root:x:0:root',
  'bin:x:1:root,bin,daemon',
  'wheel:x:10:root,ada',
  'broken:x',
  'video:x:44:ada',
  'ada:x:1001:',
  'huge:x:4294967295:ada',
].join('\n');
const resolve = (spec: string, groupAdd?: (string | number)[]) => resolveUser(spec, passwd, group, groupAdd);

describe('resolveUser', () => {
  it.each([
    ['', 0, 0, [0, 1, 10], '/root'],
    ['root', 0, 0, [0, 1, 10], '/root'],
    ['0', 0, 0, [0, 1, 10], '/root'],
    [':1001', 0, 1001, [1001], '/root'],
    ['ada', 1000, 1001, [1001, 10, 44], '/home/ada'],
    ['1000', 1000, 1001, [1001, 10, 44], '/home/ada'],
    ['ada:video', 1000, 44, [44], '/home/ada'],
    ['ada:44', 1000, 44, [44], '/home/ada'],
    ['ada:9999', 1000, 9999, [9999], '/home/ada'],
    ['3000', 3000, 0, [0], '/'],
    ['3000:wheel', 3000, 10, [10], '/'],
    // A number is never a name.
    ['4242', 4242, 0, [0], '/'],
    ['7', 7, 7, [7], '/seven'],
    ['nohome', 1002, 1002, [1002], '/'],
    ['2147483647', 2147483647, 0, [0], '/'],
  ])('%j', (spec, uid, gid, additionalGids, home) => {
    expect(resolve(spec)).toEqual({ uid, gid, additionalGids, addedGids: [], home });
  });

  it('adds groups by name and number', () => {
    expect(resolve('ada', ['video', 'bin', 500, '501']).additionalGids).toEqual([1001, 10, 44, 1, 500, 501]);
  });

  it('needs no files for numbers', () => {
    expect(resolveUser('5:6', undefined, undefined)).toEqual({
      uid: 5,
      gid: 6,
      additionalGids: [6],
      addedGids: [],
      home: '/',
    });
    expect(resolveUser('', undefined, undefined)).toEqual({
      uid: 0,
      gid: 0,
      additionalGids: [0],
      addedGids: [],
      home: '/',
    });
  });

  it('keeps the primary group among the others: CVE-2022-36109', () => {
    expect(resolve('ada').additionalGids).toContain(1001);
  });

  it.each([
    ['nobody', 'unable to find user nobody: no matching entries in passwd file'],
    ['broken', 'unable to find user broken: no matching entries in passwd file'],
    ['-1', 'unable to find user -1: no matching entries in passwd file'],
    ['ada:nogroup', 'unable to find group nogroup: no matching entries in group file'],
    ['2147483648', 'uids and gids must be in the range 0-2147483647'],
    ['4294967295', 'uids and gids must be in the range 0-2147483647'],
    ['huge', 'uids and gids must be in the range 0-2147483647'],
    ['0:4294967296', 'uids and gids must be in the range 0-2147483647'],
    ['ada:huge', 'unable to find group huge'],
    ['a\u001b[2J', 'unable to find user "a\\u001b[2J"'],
  ])('refuses %j', (spec, message) => {
    expect(refusal(() => resolve(spec), 'NO_USER')).toContain(message);
  });
});
