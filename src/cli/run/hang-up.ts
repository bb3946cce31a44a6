import { fstatSync } from 'node:fs';

/**
 * Ends this process as a hang-up ends any program, if our terminal is gone (its window was closed, the connection broke).
 *
 * Node would abort and dump core here: before it exits it puts the terminal's settings back, and takes the EIO of a terminal that
 * is gone for a fault of its own (ResetStdio in src/node.cc).
 */
export async function dieOfHangUp(): Promise<void> {
  const terminals = [0, 1, 2].filter(isTerminal);
  if (terminals.length === 0) return;
  const { isatty } = await import('node:tty');
  // isatty(3) asks for the settings, which one that is gone has none of.
  if (!terminals.every((descriptor) => isatty(descriptor))) process.kill(process.pid, 'SIGHUP');
}

/** Also of one that is gone: a character device that is none of /dev/null, /dev/zero and their like, whose major number is 1. */
function isTerminal(descriptor: number): boolean {
  try {
    const stats = fstatSync(descriptor);
    return stats.isCharacterDevice() && stats.rdev >> 8 !== 1;
  } catch {
    return false; // closed
  }
}
