import { describe, expect, it } from 'vitest';
import { parseExit } from '../../../../src/engine/life/exit-file.ts';
import { FrameReader, frame } from '../../../../src/engine/life/frames.ts';
import {
  parseRestartPolicy,
  restartDelay,
  runsAfterBoot,
} from '../../../../src/engine/life/restart-policy.ts';

describe('--restart', () => {
  it.each([
    [undefined, 'no', 0],
    ['', 'no', 0],
    ['no', 'no', 0],
    ['always', 'always', 0],
    ['unless-stopped', 'unless-stopped', 0],
    ['on-failure', 'on-failure', 0],
    ['on-failure:5', 'on-failure', 5],
  ])('%s', (text, name, maximum) => {
    expect(parseRestartPolicy(text)).toEqual({ name, maximum });
  });

  it.each(['never', 'always:2', 'on-failure:', 'on-failure:-1', 'on-failure:x', 'ALWAYS'])(
    '%s is none',
    (text) => {
      expect(() => parseRestartPolicy(text)).toThrow(`--restart ${JSON.stringify(text)}: not no,`);
    },
  );
});

describe('the pause before a restart', () => {
  const always = { options: { restart: 'always' } };

  it('is 100 ms, then twice as long each time, a minute at most', () => {
    const pauses: number[] = [];
    for (let last: number | undefined; pauses.length < 12; ) {
      last = restartDelay(
        { ...always, ...(last !== undefined && { restartDelay: last }) },
        { code: 1, ranFor: 5 },
      );
      pauses.push(last as number);
    }
    expect(pauses).toEqual([100, 200, 400, 800, 1600, 3200, 6400, 12800, 25600, 51200, 60000, 60000]);
  });

  it('begins anew after ten seconds of running', () => {
    expect(restartDelay({ ...always, restartDelay: 25600 }, { code: 1, ranFor: 9999 })).toBe(51200);
    expect(restartDelay({ ...always, restartDelay: 25600 }, { code: 1, ranFor: 10_000 })).toBe(100);
  });

  it('is none where it is not to be', () => {
    const end = { code: 1, ranFor: 0 };
    expect(restartDelay({ options: {} }, end)).toBeUndefined();
    expect(restartDelay({ ...always, stopRequested: true }, end)).toBeUndefined();
    const twice = { options: { restart: 'on-failure:2' } };
    expect(restartDelay({ ...twice, restartCount: 1 }, end)).toBe(100);
    expect(restartDelay({ ...twice, restartCount: 2 }, end)).toBeUndefined();
    expect(restartDelay({ options: { restart: 'on-failure' } }, { code: 0, ranFor: 0 })).toBeUndefined();
    expect(restartDelay({ ...always }, { code: 0, ranFor: 0 })).toBe(100);
  });

  it('a boot brings back always, and unless-stopped unless it was', () => {
    const of = (restart: string, more: object = {}) =>
      runsAfterBoot({ options: { restart }, detached: true, status: 'exited', ...more } as never);
    expect([of('always'), of('always', { stopRequested: true }), of('unless-stopped')]).toEqual([
      true,
      true,
      true,
    ]);
    expect([of('unless-stopped', { stopRequested: true }), of('no'), of('on-failure')]).toEqual([
      false,
      false,
      false,
    ]);
    expect(of('always', { status: 'created' })).toBe(false);
  });
});

describe('the exit file', () => {
  it('is read', () => {
    expect(parseExit('137 9 1 1795446321961586098\n')).toEqual({
      code: 137,
      signal: 9,
      oomKills: 1,
      finished: '2026-11-23T15:05:21.961Z',
    });
  });
  it.each(['', '3', '3 0 0 1795446321961586098', 'x 0 0 1795446321961586098\n', '3 0 0\n'])(
    '%j says nothing',
    (text) => {
      expect(parseExit(text)).toBeUndefined();
    },
  );
});

describe('frames', () => {
  it('are one byte of kind, four of length, and the content', () => {
    expect(frame('i', Buffer.from('ab'))).toEqual(Buffer.from([0x69, 0, 0, 0, 2, 0x61, 0x62]));
    expect(frame('c')).toEqual(Buffer.from([0x63, 0, 0, 0, 0]));
  });

  it.each([1, 2, 3, 7, 100])('are found however the stream is cut: every %d bytes', (size) => {
    const stream = Buffer.from('o\0\0\0\x05helloe\0\0\0\0o\0\0\0\x01!e\0\0\0\x03err', 'latin1');
    const got: Record<string, string> = { o: '', e: '' };
    const reader = new FrameReader((kind, piece) => {
      got[kind] += piece.toString();
    });
    for (let at = 0; at < stream.length; at += size) reader.push(stream.subarray(at, at + size));
    expect(got).toEqual({ o: 'hello!', e: 'err' });
  });
});
