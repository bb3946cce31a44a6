import { appendFileSync, fstatSync, writeSync } from 'node:fs';
import { isNullDevice } from '../../kernel/null-device.ts';

/** Where messages go: a line in the file of `--log`, as text or JSON, and those of errors to standard error too. */
export interface Log {
  error(message: string): void;
  warn(message: string): void;
  debug(message: string): void;
}

export interface LogOptions {
  file?: string | undefined;
  json: boolean;
  debug: boolean;
}

export function openLog({ file, json, debug }: LogOptions): Log {
  const write = (level: string, message: string) => {
    const time = new Date().toISOString();
    const line = json
      ? JSON.stringify({ level, msg: message, time })
      : `time="${time}" level=${level} msg=${JSON.stringify(message)}`;
    if (file === undefined) {
      // Of an engine's, standard error is that of the container: a warning there would be in its log.
      if (level === 'error' || debug || isTerminal()) toStderr(line);
      return;
    }
    try {
      appendFileSync(file, `${line}\n`, { mode: 0o600 });
    } catch (error) {
      toStderr(`cannot write to the log ${file}: ${(error as Error).message}`);
    }
    // As runc: whoever reads no log sees it all the same.
    if (level === 'error') toStderr(message);
  };
  return {
    error: (message) => write('error', message),
    warn: (message) => write('warning', message),
    debug: (message) => debug && write('debug', message),
  };
}

/** Asked when there is something to say, and not of a pipe or /dev/null, which engines give: loading node:tty takes 6 ms. */
function isTerminal(): boolean {
  try {
    const stat = fstatSync(2);
    if (!stat.isCharacterDevice() || isNullDevice(stat)) return false;
  } catch {
    return false;
  }
  return process.getBuiltinModule('node:tty').isatty(2);
}

function toStderr(line: string): void {
  try {
    writeSync(2, `${line}\n`);
  } catch {
    // Nobody reads it.
  }
}
