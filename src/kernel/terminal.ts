import { syscall } from './syscall.ts';

/** Sets the size of a terminal; the kernel sends SIGWINCH to its foreground processes. ioctl_tty(2). */
export function setWindowSize(fd: number, size: { columns: number; rows: number }): void {
  const words = Buffer.alloc(8);
  words.writeUInt16LE(size.rows, 0);
  words.writeUInt16LE(size.columns, 2);
  syscall('ioctl', [fd, TIOCSWINSZ, words], { doing: 'set the window size' });
}

/**
 * Has a terminal show exactly the bytes it is given; otherwise it makes CR LF of each LF. Node's raw mode leaves that on, for
 * programs that print lines of their own, but a program that draws on the whole screen moves the cursor down with a bare LF. To be called
 * after setRawMode(true); setRawMode(false) puts back what was before. ioctl_tty(2), termios(3).
 */
export function showBytes(fd: number): void {
  const termios = Buffer.alloc(36);
  syscall('ioctl', [fd, TCGETS, termios], { doing: 'read the settings of the terminal' });
  termios.writeUInt32LE((termios.readUInt32LE(C_OFLAG) & ~OPOST) >>> 0, C_OFLAG);
  syscall('ioctl', [fd, TCSETS, termios], { doing: 'change the settings of the terminal' });
}

const TIOCSWINSZ = 0x5414;
const TCGETS = 0x5401;
const TCSETS = 0x5402;
/** struct termios: four words of flags, of which this is the second, c_line and 19 control characters. */
const C_OFLAG = 4;
const OPOST = 1;
