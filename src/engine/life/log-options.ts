import { TsboxError } from '../../kernel/index.ts';
import { parseBytes } from '../options/index.ts';
import type { RunOptions } from '../run-options.ts';

/** How a container's output is kept. */
export interface LogSettings {
  /** Bytes of a file before the next is begun; 0 for no limit, -1 for no log at all. */
  maxSize: number;
  /** How many files there are at most, the one that is written included. */
  maxFiles: number;
}

/** `--log-driver` and `--log-opt`. Docker's `json-file` and `local` mean our one format. @throws {TsboxError} BAD_OPTION */
export function logSettings({ logDriver = 'cri', logOpts = {} }: RunOptions): LogSettings {
  if (!['cri', 'json-file', 'local', 'none'].includes(logDriver)) {
    throw bad(
      `--log-driver ${JSON.stringify(logDriver)}: not cri (json-file is another name for it) or none`,
    );
  }
  for (const name of Object.keys(logOpts)) {
    if (name !== 'max-size' && name !== 'max-file')
      throw bad(`--log-opt ${JSON.stringify(name)}: only max-size and max-file are known`);
  }
  const asked = logOpts['max-size'] ?? '-1';
  const maxSize = asked === '-1' ? 0 : parseBytes('--log-opt max-size', asked, '10m');
  const files = logOpts['max-file'] ?? '1';
  if (!/^[1-9]\d{0,3}$/.test(files)) {
    throw bad(`--log-opt max-file=${JSON.stringify(files)}: not a number from 1 to 9999`);
  }
  if (Number(files) > 1 && maxSize === 0) {
    throw bad(`--log-opt max-file=${files}: means nothing without max-size`);
  }
  return { maxSize: logDriver === 'none' ? -1 : maxSize, maxFiles: Number(files) };
}

function bad(message: string): TsboxError {
  return new TsboxError('BAD_OPTION', message);
}
