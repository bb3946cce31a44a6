import { syscall } from './syscall.ts';

/** Random hexadecimal digits from the kernel: for those of `crypto`, Node would load Web Crypto first, which takes 7 ms. */
export function randomHex(digits: number): string {
  const random = Buffer.alloc(Math.ceil(digits / 2));
  syscall('getrandom', [random, random.length, 0], { doing: 'choose a name' });
  return random.toString('hex').slice(0, digits);
}
