import { describe, expect, it } from 'vitest';
import { paxNumber, paxText, paxTime, readPaxRecords } from '../../../../src/image/tar/pax.ts';
import { readXattrs } from '../../../../src/image/tar/xattrs.ts';

const bytes = (text: string) => Buffer.from(text, 'latin1');

describe('readPaxRecords', () => {
  it('reads lengths that count themselves, and values with any byte in them', () => {
    const records = readPaxRecords(
      Buffer.concat([bytes('30 mtime=1350244992.023960108\n'), bytes('10 a=\0\n=\xff\n')]),
    );
    expect(records).toEqual([
      { keyword: 'mtime', value: bytes('1350244992.023960108') },
      { keyword: 'a', value: bytes('\0\n=\xff') },
    ]);
  });

  it.each([
    ['no length', 'path=x\n'],
    ['a length beyond the header', '99 path=x\n'],
    ['a length that ends too early', '5 path=x\n'],
    ['a length of no digits', 'x path=y\n'],
    ['a negative length', '-9 path=y\n'],
    ['a length of zero', '0 path=y\n'],
    ['no equals sign', '8 pathx\n'],
    ['no line feed', '10 path=xy'],
  ])('refuses %s', (_, text) => {
    expect(() => readPaxRecords(bytes(text))).toThrow('a PAX header of the tar is malformed');
  });
});

describe('values', () => {
  const of = (value: string) => [{ keyword: 'k', value: bytes(value) }];

  it('reads times to the nanosecond, before 1970 too', () => {
    expect(paxTime(of('1350244992.023960108'), 'k')).toBe(1350244992023960108n);
    expect(paxTime(of('5'), 'k')).toBe(5_000_000_000n);
    expect(paxTime(of('1.5'), 'k')).toBe(1_500_000_000n);
    expect(paxTime(of('-1.25'), 'k')).toBe(-1_250_000_000n);
    expect(paxTime(of('1.0000000019'), 'k')).toBe(1_000_000_001n);
  });

  it.each(['', '1e3', '0x10', '1.2.3', '--1', ' 1'])('does not take %j for a time', (text) => {
    if (text === '') expect(paxTime(of(text), 'k')).toBeUndefined();
    else expect(() => paxTime(of(text), 'k')).toThrow('is not a time');
  });

  it('reads numbers up to what JavaScript counts exactly', () => {
    expect(paxNumber(of('8589934592'), 'k')).toBe(8589934592);
    for (const text of ['-1', '9007199254740993', '1.5', '0x1']) {
      expect(() => paxNumber(of(text), 'k')).toThrow('is not a number');
    }
  });

  it('takes the last of several, and an empty one for none', () => {
    const records = [...of('1'), ...of('2')];
    expect(paxText(records, 'k')).toBe('2');
    expect(paxText([...records, ...of('')], 'k')).toBeUndefined();
  });
});

describe('readXattrs', () => {
  it('keeps binary values, and undoes what GNU tar does to names', () => {
    const value = Buffer.from('0100000200200000000000000000000000000000', 'hex');
    const records = [
      { keyword: 'SCHILY.xattr.security.capability', value },
      { keyword: 'SCHILY.xattr.user.a%3Db%25', value: bytes('1') },
      { keyword: 'path', value: bytes('x') },
    ];
    expect([...(readXattrs(records) ?? [])]).toEqual([
      ['security.capability', value],
      ['user.a=b%', bytes('1')],
    ]);
  });

  it("reads libarchive's base64, where the other form is not there as well", () => {
    const records = [
      { keyword: 'LIBARCHIVE.xattr.user.x%20y', value: bytes('AP8=') },
      { keyword: 'SCHILY.xattr.user.z', value: bytes('raw') },
      { keyword: 'LIBARCHIVE.xattr.user.z', value: bytes('b3RoZXI=') },
    ];
    expect([...(readXattrs(records) ?? [])]).toEqual([
      ['user.x y', Buffer.from([0, 255])],
      ['user.z', bytes('raw')],
    ]);
  });

  it.each([
    ['a name of 256 bytes', `user.${'x'.repeat(251)}`, ''],
    ['no name', '', ''],
    ['a value over 64 KiB', 'user.x', 'x'.repeat(65537)],
  ])('refuses %s', (_, name, value) => {
    const records = [{ keyword: `SCHILY.xattr.${name}`, value: bytes(value) }];
    expect(() => readXattrs(records)).toThrow('impossible name or size');
  });
});
