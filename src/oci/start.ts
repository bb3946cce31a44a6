import { closeSync, constants, openSync, readSync, unlinkSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { Errno } from '../kernel/errno.ts';
import { syscall } from '../kernel/syscall.ts';
import { runHooks } from './hooks.ts';
import { lockContainer } from './lock.ts';
import { hookEnd, programError } from './program-error.ts';
import { publicState } from './public-state.ts';
import {
  directoryOf,
  failure,
  GATE,
  type Place,
  RESULT,
  readConfigOf,
  readState,
  type StateRecord,
  statusOf,
} from './state.ts';

/** Lets a created container go, and returns when its program is there. @throws {TsboxError} */
export function start(place: Place, id: string, warn: (message: string) => void): StateRecord {
  const state = readState(place, id);
  const lock = lockContainer(place, id);
  try {
    const status = statusOf(place, state);
    if (status === 'stopped') throw failure('STOPPED', 'cannot start a container that has stopped');
    if (status !== 'created')
      throw failure('RUNNING', `cannot start a container in the ${status} state: it is already running`);
    letGo(place, state);
    poststart(place, state, warn);
    return state;
  } finally {
    lock.release();
  }
}

function letGo(place: Place, state: StateRecord): void {
  const directory = directoryOf(place, state.id);
  const gone = () => failure('STOPPED', 'cannot start a container that has stopped');
  // Without waiting: should the container die now, nobody would ever open the other ends.
  const result = openSync(join(directory, RESULT), constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    let gate: number;
    try {
      gate = openSync(join(directory, GATE), constants.O_WRONLY | constants.O_NONBLOCK);
    } catch (error) {
      throw (error as NodeJS.ErrnoException).code === 'ENXIO' ? gone() : error;
    }
    // Its absence is what says that it is not `created` any more.
    unlinkSync(join(directory, GATE));
    writeSync(gate, 's');
    closeSync(gate);
    syscall('fcntl', [result, F_SETFL, 0], { doing: 'wait for the exec' });
    const report = readAll(result);
    unlinkSync(join(directory, RESULT));
    if (report.length >= 8) throw failedWith(place, state, report.readInt32LE(4));
  } finally {
    closeSync(result);
  }
}

const F_SETFL = 4;

/** Ends when the container has closed it, by the exec or by its end. */
function readAll(fd: number): Buffer {
  const pieces: Buffer[] = [];
  for (;;) {
    const piece = Buffer.alloc(65536);
    const got = readSync(fd, piece, 0, piece.length, null);
    if (got === 0) break;
    pieces.push(piece.subarray(0, got));
  }
  return Buffer.concat(pieces);
}

/** What is left then is a hook or the exec (native/plan.h: the header's second word is the errno). */
function failedWith(place: Place, state: StateRecord, errno: number) {
  if (errno >= 1000 || errno === Errno.ETIMEDOUT)
    return failure('HOOK_FAILED', `a startContainer hook ${hookEnd(errno)}`);
  return programError(readConfigOf(place, state.id).process.args[0] ?? '', errno);
}

/** "If any poststart hook fails, the runtime MUST log a warning" and goes on (runtime.md, "Lifecycle"). */
function poststart(place: Place, state: StateRecord, warn: (message: string) => void): void {
  if (state.poststart === false) return;
  const { hooks } = readConfigOf(place, state.id);
  for (const hook of hooks.poststart ?? []) {
    try {
      runHooks('poststart', [hook], publicState(state, 'running'), state.bundle);
    } catch (error) {
      warn((error as Error).message);
    }
  }
}
