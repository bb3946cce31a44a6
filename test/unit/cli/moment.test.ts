import { describe, expect, it } from 'vitest';
import { parseMoment } from '../../../src/cli/moment.ts';

describe('moments', () => {
  const now = Date.parse('2024-06-15T12:00:00Z');
  const moment = (text: string) => parseMoment('images', `--filter until=${text}`, text, now);

  it.each([
    ['10m', '2024-06-15T11:50:00.000Z'],
    ['1h30m', '2024-06-15T10:30:00.000Z'],
    ['24h', '2024-06-14T12:00:00.000Z'],
    ['1.5s', '2024-06-15T11:59:58.500Z'],
    ['1718452800', '2024-06-15T12:00:00.000Z'],
    ['1718452800.5', '2024-06-15T12:00:00.500Z'],
    ['2024-01-31T12:30:15Z', '2024-01-31T12:30:15.000Z'],
    ['2024-01-31T12:30:15.250Z', '2024-01-31T12:30:15.250Z'],
    ['2024-01-31T12:30+02:00', '2024-01-31T10:30:00.000Z'],
    ['2024-01-31T12Z', '2024-01-31T12:00:00.000Z'],
    ['2024-01-31Z', '2024-01-31T00:00:00.000Z'],
  ])('%s is %s', (text, expected) => expect(moment(text).toISOString()).toBe(expected));

  it('are in the zone of this machine where they name none', () => {
    expect(moment('2024-01-31')).toEqual(new Date(2024, 0, 31));
    expect(moment('2024-01-31T08:05')).toEqual(new Date(2024, 0, 31, 8, 5));
  });

  it.each(['', 'soon', '10 m', '-5m', '2024-13-01', '2024-1-1', '99999999999999999'])(
    '%j is none',
    (text) => {
      expect(() => moment(text)).toThrow(`--filter until=${text}: not a time`);
    },
  );
});
