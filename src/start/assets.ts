import { getRawAsset } from 'node:sea';

/** What is in the executable under that name: its own memory, not a copy. Nobody may write to it. */
export function asset(name: string): Buffer {
  return Buffer.from(getRawAsset(name) as ArrayBuffer);
}
