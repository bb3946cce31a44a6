import { readSync } from 'node:fs';
import { print } from './output.ts';

/** Whether the person at the terminal, or the script at the other end of standard input, agrees. Docker's words. */
export function confirm(warning: string): boolean {
  print(`${warning}\nAre you sure you want to continue? [y/N] `);
  const answer = readLine().trim().toLowerCase();
  return answer === 'y';
}

/** By bytes: what follows the line belongs to somebody else. */
function readLine(): string {
  const bytes: number[] = [];
  const byte = Buffer.alloc(1);
  while (bytes.length < 1000) {
    try {
      if (readSync(0, byte, 0, 1, null) === 0 || byte[0] === 0x0a) break;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') break;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 20);
      continue;
    }
    bytes.push(byte[0] as number);
  }
  return Buffer.from(bytes).toString('utf8');
}
