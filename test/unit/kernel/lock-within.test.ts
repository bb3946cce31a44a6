import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, it, vi } from 'vitest';
import { lockFile, lockHolder, lockWithin } from '../../../src/kernel/index.ts';

const directory = mkdtempSync(join(tmpdir(), 'tsbox-lock-'));
afterAll(() => rmSync(directory, { recursive: true }));
afterEach(() => vi.unstubAllEnvs());

describe('lockWithin', () => {
  it('takes a lock that is free, or has become so', () => {
    const file = join(directory, 'free');
    const first = lockWithin(file, 'it');
    expect(lockFile(file, 'exclusive', { wait: false })).toBeUndefined();
    first.release();
    lockWithin(file, 'it').release();
  });

  it('names who has it, and how long that was waited for', () => {
    vi.stubEnv('TSBOX_LOCK_TIMEOUT', '0.1');
    const file = join(directory, 'taken');
    const lock = lockFile(file, 'exclusive');
    let error: unknown;
    try {
      lockWithin(file, 'the record');
    } catch (thrown) {
      error = thrown;
    }
    lock.release();
    expect(error).toMatchObject({ code: 'LOCK_TIMEOUT' });
    expect(`${error}`).toMatch(
      new RegExp(`the record is locked: process ${process.pid} \\(.+\\) has had it for 0\\.1 s$`),
    );
  });
});

describe('lockHolder', () => {
  it('is nobody where the lock is free', () => {
    const file = join(directory, 'nobody');
    writeFileSync(file, '');
    expect(lockHolder(file)).toBeUndefined();
  });
});
