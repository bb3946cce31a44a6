import { gzipSync } from 'node:zlib';
import { beforeEach, describe, expect, it } from 'vitest';
import { ARCHIVE_LIMITS } from '../../../../src/image/limits.ts';
import { decompress, detectCompression, meter } from '../../../../src/image/source/index.ts';
import { createUnzstd } from '../../../../src/image/source/zstd.ts';

// 300 lines through zstd 1.5.4 and xz 5.4.1.
const text = Array.from({ length: 300 }, (_, line) => `line ${line}\n`).join('');
const zstd = Buffer.from(
  'KLUv/QRoLQ0A1nFYEbCl0GKO4JJAiezu3mlLxMGBXgBNAE0AhuCdXR3dnFzc54U7MysjGxML27RgV1ZVVFNSUZcV6sioiGhIKGiSAt3Y1NDMyMQ8TpgTkxKSEZGQRQlyYVFBMSERcRghbrumZzl+D59mSY5iuBo8KxqJFYQBwECAQEUSOaSQQU5KBvJGG2ukcUYZY3x0DOOJJpZI4ogihrioGMQLLayQwgkljPDQMIS3trW0s7Kxrxv21LSUdFQ0dFWDXtCCFaTgBCUYwYOGccTHxiG+t6+nn5eP//3w5+bl5OPi4bse/MIWrjCFJyzhCB82HMJ32lknnXPKGeenZzjPNLNMMscUM8xNzWBeaWWVVE4pZZSXlqE80siCu+2um+655Y772zvcZ5tdNtljix32tnawr7a6aqqnljrqa+tQH2100UQPLXTQ09KBvtnmmmmeWeaYn53DfLLJJZM8ssghLysH+WKLK6Z4YgmBK6gRMFB+DuGvAREk/AH5///v////+/////7//3///9/MAiGEEIYkhBBCCCGEIQQhhBBCCK/DAAAAAADnBAioqokpyf0=',
  'base64',
);
const xz = Buffer.from(
  '/Td6WFoAAATm1rRGAgAhARwAAAAQz1jM4AodAPZdADYaSh8IoCXB3pS6kMw7Kx81OvJf1Z5+c7Le6vfCLQQnMVvKDEf8ldIdW3ykSPjamraGPS5yX8qBD6MEmU+0TErz7LQZF1glZAp03R+qhGXcA+rC+wSWn1D3P0AzkZjOe0yhx9gSiKScdGhYsWbMyqp7fQ9kgTf85xsAy4xoF/jyQEYRZ0gldaR0jaVjdfnz6nz6bcwn6GiFwsk7QkMk5CIIvu9hxTlP/E5PV/iagvYAed/rbsdecLu7FSSRLVQ4Ai4jYX9w3JDCBGntbN1hzPsSkEXuGfkVtg7bk56LJE8l52E+I21hDFn2F8i8m/vsTpjmm+pvxwAAAPcd7t03/RcEAAGSAp4UAADOrYuvscRn+wIAAAAABFla',
  'base64',
);
const xzSha256 = Buffer.from(
  '/Td6WFoAAArh+wyhAgAhARYAAAB0L+Wj4AodAPZdADYaSh8IoCXB3pS6kMw7Kx81OvJf1Z5+c7Le6vfCLQQnMVvKDEf8ldIdW3ykSPjamraGPS5yX8qBD6MEmU+0TErz7LQZF1glZAp03R+qhGXcA+rC+wSWn1D3P0AzkZjOe0yhx9gSiKScdGhYsWbMyqp7fQ9kgTf85xsAy4xoF/jyQEYRZ0gldaR0jaVjdfnz6nz6bcwn6GiFwsk7QkMk5CIIvu9hxTlP/E5PV/iagvYAed/rbsdecLu7FSSRLVQ4Ai4jYX9w3JDCBGntbN1hzPsSkEXuGfkVtg7bk56LJE8l52E+I21hDFn2F8i8m/vsTpjmm+pvxwAAAPCH3t2iUqA/YljvDXnEY55LBqYHYTIbggosJLFsKECKAAGqAp4UAAAOKKJHtunfHAIAAAAAClla',
  'base64',
);

const gzip = gzipSync(text);
const zeros = Buffer.alloc(300_000);

/** Whether gzip is decompressed in this thread rather than by Node's stream. */
let here = false;

describe.each([
  ['gzip' as const, gzip, false],
  ['gzip' as const, gzip, true],
  ['zstd' as const, zstd, false],
  ['xz' as const, xz, false],
])('%s', (compression, whole, inThisThread) => {
  beforeEach(() => {
    here = inThisThread;
  });

  it('is known by its first bytes, and gives back what went in, however it arrives', async () => {
    expect(detectCompression(whole)).toBe(compression);
    for (const size of [1, 13, 100_000]) expect(await all(whole, compression, size)).toBe(text);
  });

  it('may have several members or frames, as pigz, pzstd and pixz write them', async () => {
    for (const size of [1, whole.length, 100_000]) {
      expect(await all(Buffer.concat([whole, whole]), compression, size)).toBe(text + text);
    }
  });

  it('may end nowhere but at its end', async () => {
    for (const missing of [1, 2, 4, 9, 30, whole.length - 7]) {
      await expect(all(whole.subarray(0, -missing), compression)).rejects.toMatchObject({
        code: 'BAD_ARCHIVE',
        message: expect.stringContaining('truncated'),
      });
    }
  });

  it('is followed by nothing', async () => {
    for (const garbage of ['garbage', 'x', 'more garbage than any header is long']) {
      const promise = all(Buffer.concat([whole, Buffer.from(garbage)]), compression, whole.length);
      await expect(promise).rejects.toMatchObject({ code: 'BAD_ARCHIVE' });
    }
  });

  it('gives nothing else than what went in, whatever is changed in it', async () => {
    let noticed = 0;
    let tried = 0;
    for (let at = 60; at < whole.length - 30; at += 7) {
      const changed = Buffer.from(whole);
      changed[at] = (changed[at] as number) ^ 0x10;
      tried++;
      // A bit that stands for nothing may change, but what comes out may not.
      const result = await all(changed, compression).catch((error) => {
        expect(error).toMatchObject({ code: 'BAD_ARCHIVE' });
        noticed++;
        return text;
      });
      expect(result === text).toBe(true);
    }
    expect(noticed).toBeGreaterThan(tried * 0.9);
  });
});

describe('gzip', () => {
  it('may be followed by zeros, but not by something behind them, which Node does not see', async () => {
    expect(await all(Buffer.concat([gzip, zeros]), 'gzip')).toBe(text);
    for (const hidden of [Buffer.from('x'), gzip]) {
      await expect(all(Buffer.concat([gzip, zeros, hidden]), 'gzip')).rejects.toThrow('something follows');
    }
  });
});

describe('zstd', () => {
  it('may begin with a skippable frame, as pzstd writes them', async () => {
    const skippable = Buffer.from('502a4d1804000000deadbeef', 'hex');
    expect(detectCompression(skippable)).toBe('zstd');
    expect(await all(Buffer.concat([skippable, zstd, skippable]), 'zstd')).toBe(text);
  });

  it('may not ask for a window of more than 128 MiB, nor for a dictionary', async () => {
    const window = Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x90, 0x01, 0, 0]);
    await expect(all(window, 'zstd')).rejects.toThrow('a window of more than 128 MiB');
    const dictionary = Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0x21, 0x07, 0x05, 0x01, 0, 0]);
    await expect(all(dictionary, 'zstd')).rejects.toThrow('needs a dictionary');
  });

  it("is Node's own where that has it", async () => {
    const { createZstdDecompress } = (await import('node:zlib')) as { createZstdDecompress?: unknown };
    const name = (await createUnzstd(1024)).constructor.name;
    expect(name).toBe(createZstdDecompress === undefined ? 'Transform' : 'ZstdDecompress');
  });
});

describe('xz', () => {
  it('says what to do where its check is not supported', async () => {
    await expect(all(xzSha256, 'xz')).rejects.toMatchObject({
      code: 'BAD_ARCHIVE',
      advice: expect.stringContaining('--check=crc64'),
    });
  });
});

describe('meter', () => {
  const limits = { ...ARCHIVE_LIMITS, contentBytes: 1_000_000, ratio: 10, ratioFrom: 100_000 };
  const drain = async (count: number, received: number) => {
    for await (const _ of meter(pieces(Buffer.alloc(count), 10_000), () => received, limits));
  };

  it('passes on what is within both limits, and a high ratio while it is small', async () => {
    await drain(1_000_000, 100_000);
    await drain(100_000, 1);
  });

  it('stops what is too large or grows too much', async () => {
    await expect(drain(1_010_000, 500_000)).rejects.toThrow('it unpacks to more than');
    await expect(drain(110_000, 10_999)).rejects.toThrow('a decompression bomb');
  });
});

it('takes everything else for a plain tar', () => {
  for (const start of ['', 'BZh9', '\x1f\x8b', '\x1f\x9d\x90', 'ustar']) {
    expect(detectCompression(Buffer.from(start, 'latin1'))).toBe('none');
  }
});

async function all(
  bytes: Buffer,
  compression: Parameters<typeof decompress>[1],
  size = 65536,
): Promise<string> {
  const parts: Buffer[] = [];
  for await (const part of decompress(pieces(bytes, size), compression, here)) parts.push(Buffer.from(part));
  return Buffer.concat(parts).toString();
}

async function* pieces(bytes: Buffer, size: number) {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}
