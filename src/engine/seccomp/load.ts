import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import { TsboxError } from '../../kernel/error.ts';
import type { Seccomp } from '../../runtime/spec.ts';
import { parseJson } from './json.ts';
import { type ProfileHost, resolveProfile } from './profile.ts';

/** Docker's own profile has 17 KiB. */
const MAX_BYTES = 1 << 20;

/**
 * Reads the profile of `--security-opt seccomp=FILE`, in Docker's format or OCI's, and resolves it for this container and host.
 *
 * @throws TsboxError BAD_SECCOMP or BAD_JSON, one line with the file's name and the place in it
 */
export function loadProfile(file: string, host: ProfileHost): Seccomp {
  return resolveProfile(parseJson(readBounded(file), file), host, file);
}

function readBounded(file: string): string {
  let fd: number;
  try {
    // Not to wait for the other end where the path is a FIFO.
    fd = openSync(file, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY);
  } catch (error) {
    return refuseFile(file, reason(error));
  }
  try {
    const status = fstatSync(fd);
    if (!status.isFile()) refuseFile(file, 'not a regular file');
    // What is read is bounded, not what was said to be there: a file can grow, and those of proc have size 0.
    const bytes = Buffer.alloc(MAX_BYTES + 1);
    let length = 0;
    for (let read = -1; read !== 0 && length < bytes.length; length += read)
      read = readSync(fd, bytes, length, bytes.length - length, null);
    if (length > MAX_BYTES) refuseFile(file, 'larger than 1 MiB');
    // Go's encoders and editors on other systems may begin with a byte order mark.
    return bytes.toString('utf8', 0, length).replace(/^\ufeff/, '');
  } catch (error) {
    if (error instanceof TsboxError) throw error;
    return refuseFile(file, reason(error));
  } finally {
    closeSync(fd);
  }
}

function refuseFile(file: string, why: string): never {
  throw new TsboxError('BAD_SECCOMP', `cannot read the seccomp profile ${file}: ${why}`, {
    advice: '`seccomp=` takes the path of a JSON file, or `unconfined`',
  });
}

/** The middle of Node's `ENOENT: no such file or directory, open 'x'`. */
function reason(error: unknown): string {
  return error instanceof Error
    ? error.message.replace(/^[A-Z]+: /, '').replace(/, \w+( '.*')?$/s, '')
    : String(error);
}
