import { describe, expect, test } from 'vitest';
import { Errno, TsboxError } from '../../../src/kernel/index.ts';
import type { Step, Struct } from '../../../src/launch/index.ts';
import { planContainer, searchPath } from '../../../src/runtime/index.ts';
import { Listing, sampleInput, sampleSpec } from './sample.ts';

const program = (args: string[], env: string[]) => {
  const spec = sampleSpec((each) => {
    Object.assign(each.process, { args, env });
  });
  return new Listing(sampleInput(() => {}, spec)).steps.filter(({ call }) => call === 'execve');
};
const tried = (args: string[], env: string[]) => program(args, env).map((step) => step.args[0]);

describe('the program is looked for', () => {
  test('in the directories of PATH, each once, the working directory for an empty one', () => {
    expect(tried(['x'], ['A=1', 'PATH=/a:/b::/a'])).toEqual(['/a/x', '/b/x', './x']);
  });

  test('where Docker does if there is no PATH', () => {
    const standard = ['/usr/local/sbin', '/usr/local/bin', '/usr/sbin', '/usr/bin', '/sbin', '/bin'];
    expect(searchPath([])).toEqual(standard);
    expect(searchPath(['PATH='])).toEqual(standard);
    expect(searchPath(['PATH=/first', 'PATH=/last'])).toEqual(['/last']);
  });

  test('nowhere else if it has a slash', () => {
    expect(tried(['./x'], ['PATH=/a'])).toEqual(['./x']);
    expect(tried(['/a/b'], ['PATH=/a'])).toEqual(['/a/b']);
  });

  test('going on only where execvp(3) would, and failing with the last', () => {
    const tolerated = program(['x'], ['PATH=/a:/b:/c']).map(({ tolerate }) => tolerate);
    const goOn = [Errno.ENOENT, Errno.ENOTDIR, Errno.EACCES];
    expect(tolerated).toEqual([goOn, goOn, undefined]);
  });

  test('in a bounded number of places', () => {
    const path = Array.from({ length: 5000 }, (_, n) => `/${n}`).join(':');
    expect(tried(['x'], [`PATH=${path}`])).toHaveLength(64);
  });
});

describe('limits of the program', () => {
  const limitWords = (type: string, soft: number, hard: number) => {
    const spec = sampleSpec((each) => {
      each.process.rlimits = [{ type, soft, hard }];
    });
    const listing = new Listing(sampleInput(() => {}, spec));
    const { args } = listing.steps[listing.at('prlimit64')] as Step;
    const bytes = Buffer.from((args[2] as Struct).bytes);
    return [args[1], bytes.readBigUInt64LE(0), bytes.readBigUInt64LE(8)];
  };

  test('are 64 bits wide, -1 for none', () => {
    expect(limitWords('RLIMIT_CORE', 0, 2 ** 40)).toEqual([{ text: 'RLIMIT_CORE', value: 4 }, 0n, 2n ** 40n]);
    expect(limitWords('RLIMIT_NOFILE', 5, -1).slice(1)).toEqual([5n, 2n ** 64n - 1n]);
  });

  test('of 2^64-1 in JSON, which a double rounds up, are none and not nothing', () => {
    const limit = JSON.parse('18446744073709551615');
    expect(limitWords('RLIMIT_MEMLOCK', limit, limit).slice(1)).toEqual([2n ** 64n - 1n, 2n ** 64n - 1n]);
  });

  test.each(['RLIMIT_NONE', 'constructor', ''])('that are not there are refused: %j', (type) => {
    expect(() => limitWords(type, 1, 1)).toThrow(TsboxError);
  });
});

test('a capability that is not there is refused', () => {
  const spec = sampleSpec((each) => {
    each.process.capabilities = { bounding: ['CAP_EVERYTHING'] };
  });
  expect(() => planContainer(sampleInput(() => {}, spec))).toThrow(
    'process.capabilities: there is no capability `CAP_EVERYTHING`',
  );
});

test('capabilities above 31 are in the second half of the sets (capset(2))', () => {
  const spec = sampleSpec((each) => {
    const all = ['CAP_CHOWN', 'CAP_SYS_ADMIN', 'CAP_WAKE_ALARM', 'CAP_BPF'];
    each.process.capabilities = { bounding: all, effective: all, permitted: all, inheritable: ['CAP_CHOWN'] };
  });
  const listing = new Listing(sampleInput(() => {}, spec));
  const { args } = listing.steps[listing.at('capset')] as Step;
  const bytes = Buffer.from((args[1] as Struct).bytes);
  const words = [0, 4, 8, 12, 16, 20].map((at) => bytes.readUInt32LE(at));
  expect(words).toEqual([0x200001, 0x200001, 1, 0x88, 0x88, 0]);
});

describe('masked paths', () => {
  const covers = (...maskedPaths: string[]) => {
    const spec = sampleSpec((each) => {
      each.linux.maskedPaths = maskedPaths;
    });
    const input = sampleInput((each) => {
      each.files = [];
    }, spec);
    return new Listing(input);
  };

  test('a file, a directory, one that no container has, and one that may be either', () => {
    const listing = covers('/proc/uptime', '/proc/sys', '/proc/no-such-file', '/opt/secret');
    expect(listing.stage('Hide').filter((line) => /\((null|empty)/.test(line))).toEqual([
      'move_mount(null, , AT_FDCWD, /proc/uptime, MOVE_MOUNT_F_EMPTY_PATH)',
      'move_mount(empty, , AT_FDCWD, /proc/sys, MOVE_MOUNT_F_EMPTY_PATH)',
      'move_mount(null, , AT_FDCWD, /opt/secret, MOVE_MOUNT_F_EMPTY_PATH)',
      'move_mount(empty, , AT_FDCWD, /opt/secret, MOVE_MOUNT_F_EMPTY_PATH)',
    ]);
    const tolerated = listing.steps
      .filter(({ stage, save }) => stage === 'Hide' && !save)
      .map((s) => s.tolerate);
    expect(tolerated.slice(0, 4)).toEqual([
      [Errno.ENOENT],
      [Errno.ENOENT],
      [Errno.ENOENT, Errno.EINVAL],
      [Errno.ENOENT, Errno.EINVAL],
    ]);
  });

  test('one file system serves any number of them: a machine has one for each processor', () => {
    const listing = covers(...Array.from({ length: 500 }, (_, n) => `/opt/cpu${n}`));
    // With /dev.
    expect(listing.all('fsopen(tmpfs')).toHaveLength(2);
    expect(listing.all('empty = open_tree')).toHaveLength(500);
    const readOnly = listing.at('mount_setattr(tmpfs_mount, , AT_EMPTY_PATH, {attr_set=MOUNT_ATTR_RDONLY}');
    expect(readOnly).toBeLessThan(listing.all('empty = open_tree')[0] as number);
  });

  test('no file system is made for files alone', () => {
    expect(covers('/proc/uptime').all('fsopen(tmpfs')).toHaveLength(1);
  });
});
