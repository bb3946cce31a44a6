import { createWriteStream, lstatSync, renameSync, rmSync } from 'node:fs';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { TsboxError } from '../index.ts';

/**
 * Writes a stream to a file, aside and renamed: whatever goes wrong, there is the old file or the new one. What is there and no regular
 * file (/dev/stdout, a FIFO) is written to directly.
 */
export async function writeFileAside(path: string, stream: Readable): Promise<void> {
  const status = lstatSync(path, { throwIfNoEntry: false });
  if (status !== undefined && !status.isFile()) return await write(path, path, stream);
  const aside = `${path}.${process.pid}.new`;
  try {
    await write(aside, path, stream);
    renameSync(aside, path);
  } catch (error) {
    rmSync(aside, { force: true });
    throw error;
  }
}

/** Writes a stream to standard output. */
export async function writeToStdout(stream: Readable): Promise<void> {
  try {
    await pipeline(stream, process.stdout);
  } catch (error) {
    // The reader has gone: end as a program does that SIGPIPE ends, which Node ignores.
    if ((error as NodeJS.ErrnoException).code === 'EPIPE') process.exit(128 + 13);
    throw error;
  }
}

async function write(path: string, shown: string, stream: Readable): Promise<void> {
  try {
    await pipeline(stream, createWriteStream(path, { mode: 0o600 }));
  } catch (error) {
    const { syscall, code, message } = error as NodeJS.ErrnoException;
    if (error instanceof TsboxError || syscall === undefined) throw error;
    const why =
      code === 'ENOSPC'
        ? 'no space is left on its disk'
        : code === 'ENOENT'
          ? 'there is no such directory'
          : (message.split(',')[0] ?? message);
    throw new TsboxError('OUTPUT_UNWRITABLE', `cannot write \`${shown}\`: ${why}`, { cause: error });
  }
}
