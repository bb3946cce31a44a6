import { expect, test } from 'vitest';
import { sumOf } from '../../../src/kernel/sum.ts';

test('a text with another byte anywhere has another sum', () => {
  for (const length of [1, 2, 3, 4, 5, 63, 64, 1001]) {
    const text = Buffer.alloc(length, 'a');
    const sums = new Set([sumOf(text)]);
    for (let at = 0; at < length; at++) {
      const other = Buffer.from(text);
      other[at] = 0x62;
      sums.add(sumOf(other));
    }
    expect(sums.size).toBe(length + 1);
    expect(sumOf(Buffer.from(text))).toBe(sumOf(text));
  }
});

test('texts that differ only in zeros at the end have other sums, being of other lengths', () => {
  const sums = [0, 1, 2, 3, 4].map((zeros) =>
    sumOf(Buffer.concat([Buffer.from('abc'), Buffer.alloc(zeros)])),
  );
  expect(new Set(sums).size).toBe(5);
});
