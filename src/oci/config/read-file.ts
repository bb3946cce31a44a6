import { isUtf8 } from 'node:buffer';
import { closeSync, constants, fstatSync, openSync, readFileSync } from 'node:fs';
import { TsboxError } from '../../kernel/error.ts';
import { parseJson } from '../../kernel/json.ts';
import { refuse } from './readers.ts';

/** What is in a regular file of a bounded size, which is somebody's. @throws {TsboxError} BAD_CONFIG */
export function readBounded(file: string, most = 16 * 1024 * 1024): Buffer {
  let bytes: Buffer;
  try {
    const fd = openSync(file, constants.O_RDONLY | constants.O_NONBLOCK);
    try {
      const stat = fstatSync(fd);
      if (!stat.isFile() && !stat.isFIFO()) refuse(file, 'is not a regular file');
      if (stat.size > most) refuse(file, `is larger than ${most} bytes`);
      bytes = readFileSync(fd);
    } finally {
      closeSync(fd);
    }
  } catch (error) {
    if (error instanceof TsboxError) throw error;
    const { code } = error as NodeJS.ErrnoException;
    const why = code === 'ENOENT' ? 'no such file or directory' : code;
    throw new TsboxError('BAD_CONFIG', `open ${file}: ${why}`, { exitCode: 1, cause: error });
  }
  if (bytes.length > most) refuse(file, `is larger than ${most} bytes`);
  return bytes;
}

/** JSON in UTF-8. @throws {TsboxError} BAD_CONFIG that names the file */
export function parseBounded(bytes: Buffer, file: string): unknown {
  if (!isUtf8(bytes)) refuse(file, 'is not UTF-8');
  try {
    return parseJson(bytes.toString('utf8'), file);
  } catch (error) {
    throw new TsboxError('BAD_CONFIG', (error as Error).message, { exitCode: 1, cause: error });
  }
}
