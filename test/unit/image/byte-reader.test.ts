import { describe, expect, it } from 'vitest';
import { ByteReader } from '../../../src/image/byte-reader.ts';

describe('ByteReader', () => {
  it('gives portions that span pieces, also from a source that uses one buffer again and again', async () => {
    const piece = Buffer.alloc(4);
    const source = async function* () {
      for (const text of ['abcd', 'efgh', 'ijkl', 'mnop']) {
        piece.write(text);
        yield piece;
      }
    };
    const reader = new ByteReader(source());
    const taken: string[] = [];
    for (const count of [3, 7, 1, 5]) taken.push((await reader.take(count)).toString());
    expect(taken).toEqual(['abc', 'defghij', 'k', 'lmnop']);
    expect(reader.position).toBe(16);
    expect(await reader.take(1)).toHaveLength(0);
  });
});
