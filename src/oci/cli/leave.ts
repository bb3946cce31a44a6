import { isNativeLoaded } from '../../kernel/ffi.ts';
import { syscall } from '../../kernel/syscall.ts';

/** Ends the process at once: all is written by now, and Node would take some milliseconds to stop its threads first. */
export function leave(code: number): never {
  // Who wants to know: the code cache (src/start/tsbox.ts).
  process.emit('exit', code);
  if (isNativeLoaded()) syscall('exit_group', [code]);
  process.exit(code);
}
