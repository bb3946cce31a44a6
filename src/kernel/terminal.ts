import { syscall } from './syscall.ts';

/** Sets the size of a terminal; the kernel sends SIGWINCH to its foreground processes. ioctl_tty(2). */
export function setWindowSize(fd: number, size: { columns: number; rows: number }): void {
  const words = Buffer.alloc(8);
  words.writeUInt16LE(size.rows, 0);
  words.writeUInt16LE(size.columns, 2);
  syscall('ioctl', [fd, TIOCSWINSZ, words], { doing: 'set the window size' });
}

const TIOCSWINSZ = 0x5414;
