import { closeSync, constants, openSync, readSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { AT, closeDescriptor, cString, pipe, S, syscall } from '../kernel/index.ts';
import { planFile } from '../launch/enter-program.ts';
import { runMaker } from './maker.ts';
import { type LaidOut, numbersFor } from './making.ts';
import { connectSocket } from './socket.ts';
import { failure, GATE, RESULT } from './state.ts';

export interface MakeOptions {
  plan: LaidOut;
  /** The container's directory of state. */
  directory: string;
  consoleSocket?: string | undefined;
  /** How many descriptors from 3 on the program gets. */
  preserve: number;
  /** Told of its PID as soon as there is one, in any case before it is in the program's hands. Gives the state for its hooks. */
  born: (pid: number) => object;
  /** Runs the hooks of the host. */
  hooks: () => void;
}

/** Makes a container that waits at `exec.fifo`, and returns when it does. What fails leaves a process only where `born` was called. @throws {TsboxError} */
export async function makeContainer(options: MakeOptions): Promise<void> {
  const { plan, directory, preserve } = options;
  const { listener } = plan;
  const numbers = numbersFor(preserve);
  const open: number[] = [];
  const keep = (fd: number) => {
    open.push(fd);
    return fd;
  };
  const descriptors = new Map<number, number>();
  try {
    const ready = pipe();
    const acknowledge = pipe();
    for (const fd of [ready.read, ready.write, acknowledge.read, acknowledge.write]) keep(fd);
    const memory = keep(planFile(plan.bytes));
    const state = keep(planFile(Buffer.alloc(0)));
    const gate = makeFifo(join(directory, GATE));
    const result = makeFifo(join(directory, RESULT));
    descriptors
      .set(3, memory)
      .set(numbers.ready, ready.write)
      .set(numbers.gate, gate)
      .set(numbers.result, result)
      .set(numbers.state, state)
      .set(numbers.acknowledge, acknowledge.read);
    if (options.consoleSocket !== undefined)
      descriptors.set(numbers.console, keep(connectSocket(options.consoleSocket, '--console-socket')));
    if (preserve > 0) descriptors.set(numbers.third, 3);
    if (listener)
      descriptors.set(numbers.listener, listener.plan.socket).set(numbers.message, listener.plan.message);
    const kept = Array.from({ length: Math.max(0, preserve - 1) }, (_, index) => index + 4);
    try {
      runMaker(descriptors, kept, plan.outcomeLength, numbers.ready);
    } finally {
      for (const fd of [gate, result]) closeSync(fd);
      for (const fd of [ready.write, acknowledge.read])
        closeDescriptor(open.splice(open.indexOf(fd), 1)[0] as number);
    }
    readSync(memory, plan.bytes, 0, plan.outcomeLength, 0);
    const pid = plan.pid();
    if (pid > 0) {
      const shown = options.born(pid);
      writeSync(state, JSON.stringify(shown), 0);
      listener?.tell(pid, { ...shown, status: 'creating' });
    }
    if (plan.hasFailed()) throw await plan.error();
    const said = follow(ready.read, () => {
      options.hooks();
      writeSync(acknowledge.write, 'h');
    });
    if (said.at(-1) === WAITS && said.length < 8) return;
    const length = plan.outcomeLength;
    if (said.length < length) throw failure('CREATE_FAILED', 'the container was killed while it was made');
    plan.bytes.set(said.subarray(said.length - length));
    throw await plan.error();
  } finally {
    for (const fd of open) closeDescriptor(fd);
    listener?.close();
  }
}

/** What the container writes until it waits or has failed; runs the hooks when it asks for them. */
function follow(ready: number, hooks: () => void): Buffer {
  const pieces: Buffer[] = [];
  let length = 0;
  let asked = false;
  for (;;) {
    const piece = Buffer.alloc(65536);
    const got = readSync(ready, piece, 0, piece.length, null);
    if (got === 0) return Buffer.concat(pieces);
    pieces.push(piece.subarray(0, got));
    length += got;
    if (asked || length !== 2 || Buffer.concat(pieces)[1] !== ASKS) continue;
    asked = true;
    hooks();
  }
}

const ASKS = 'h'.charCodeAt(0);
const WAITS = 'w'.charCodeAt(0);
/** Open for both, so that neither opening nor reading it finds nobody at the other end. fifo(7) */
function makeFifo(path: string): number {
  syscall('mknodat', [AT.AT_FDCWD, cString(path), S.S_IFIFO | 0o600, 0], { path, doing: 'make a FIFO' });
  return openSync(path, constants.O_RDWR);
}
