import { O } from './constants.ts';
import { Errno } from './errno.ts';
import { native } from './ffi.ts';
import { fields } from './fields.ts';
import { syscallNumber } from './numbers.ts';
import { syscall } from './syscall.ts';

/**
 * Waits for descriptors that Node cannot watch by itself: a pidfd becomes readable when its process ends, and a pipe hangs up when its last
 * writer closes it. One epoll(7) for all of them, and one thread of libuv's pool that waits in it, for as long as there is anything
 * to wait for: a thousand containers cost one thread, not a thousand.
 */
export function waitReadable(fd: number): Promise<void> {
  return poller().wait(fd, EPOLLIN);
}

/** Resolves when the last writer of the pipe is gone; what was written to it does not matter. */
export function waitHangUp(fd: number): Promise<void> {
  return poller().wait(fd, 0);
}

class Poller {
  readonly #epoll = syscall('epoll_create1', [O.O_CLOEXEC], { doing: 'make an epoll' });
  /** Wakes the waiting thread when this environment ends, which could not end before that thread returns. */
  readonly #wake = syscall('eventfd2', [0, O.O_CLOEXEC | O.O_NONBLOCK], { doing: 'make an eventfd' });
  readonly #waiting = new Map<number, () => void>();
  readonly #events = Buffer.alloc(EVENT * 64);
  #running = false;

  constructor() {
    this.#control(EPOLL_CTL_ADD, this.#wake, EPOLLIN);
    process.on('exit', () => {
      if (this.#running)
        syscall('write', [this.#wake, Buffer.from([1, 0, 0, 0, 0, 0, 0, 0]), 8], { allow: [Errno.EAGAIN] });
    });
  }

  wait(fd: number, events: number): Promise<void> {
    return new Promise((resolve, reject) => {
      try {
        this.#control(EPOLL_CTL_ADD, fd, events);
      } catch (error) {
        reject(error);
        return;
      }
      this.#waiting.set(fd, resolve);
      if (!this.#running) void this.#run();
    });
  }

  async #run(): Promise<void> {
    this.#running = true;
    let timeout = LOOK_UP;
    while (this.#waiting.size > 0) {
      const count = await native().syscallAsync(
        syscallNumber('epoll_pwait'),
        this.#epoll,
        this.#events,
        this.#events.length / EVENT,
        timeout,
        null,
        8,
      );
      if (count === 0 && isMainThread()) timeout = -1;
      for (let i = 0; i < count; i++) this.#ready(fields(this.#events).getInt32(i * EVENT + DATA, true));
    }
    this.#running = false;
  }

  #ready(fd: number): void {
    const resolve = this.#waiting.get(fd);
    if (resolve === undefined) return;
    this.#waiting.delete(fd);
    this.#control(EPOLL_CTL_DEL, fd, 0);
    resolve();
  }

  #control(operation: number, fd: number, events: number): void {
    const event = Buffer.alloc(16);
    fields(event).setUint32(0, events, true);
    fields(event).setInt32(DATA, fd, true);
    syscall('epoll_ctl', [this.#epoll, operation, fd, event], { doing: 'watch a descriptor' });
  }
}

function poller(): Poller {
  instance ??= new Poller();
  return instance;
}

let instance: Poller | undefined;

const EPOLLIN = 1;
const EPOLL_CTL_ADD = 1;
const EPOLL_CTL_DEL = 2;
// `struct epoll_event` is packed on x86-64 only (epoll_ctl(2)).
const EVENT = process.arch === 'x64' ? 12 : 16;
const DATA = process.arch === 'x64' ? 4 : 8;
/**
 * Milliseconds. A worker thread can be terminated without an `exit` event, and its end waits for the thread in epoll; so there it looks up
 * every second. In the main thread it does so once: to know which of them this is costs 6 ms, which a container that
 * ends sooner need not pay.
 */
const LOOK_UP = 1000;

function isMainThread(): boolean {
  return process.getBuiltinModule('node:worker_threads').isMainThread;
}
