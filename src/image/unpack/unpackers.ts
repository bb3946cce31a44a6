import { availableParallelism } from 'node:os';
import { GrowingFile } from './growing-file.ts';
import { carryOut, type UnpackedLayer, type UnpackJob } from './job.ts';
import { UnpackThread } from './thread.ts';

/** A job that is under way. */
export interface Unpacking {
  /** So many bytes of the blob are in its file now; `complete` says that no more will come. */
  grow(available: number, complete?: boolean): void;
  /** The blob will not be complete: `layer` is rejected with the error. */
  fail(error: unknown): void;
  /** Rejected as soon as anything is wrong with what has come so far. */
  readonly layer: Promise<UnpackedLayer>;
}

/**
 * Unpacks layers beside each other, one a processor, each on a thread of its own; where no thread can be started, one after the other in this
 * one. A job that finds all threads busy waits: its blob goes on coming meanwhile.
 */
export class Unpackers {
  readonly #most: number;
  readonly #idle: UnpackThread[] = [];
  readonly #waiting: (() => void)[] = [];
  #busy = 0;
  #withoutThreads = false;

  constructor(most = availableParallelism()) {
    this.#most = Math.max(1, most);
  }

  start(job: UnpackJob, onRead: (read: number) => void = () => {}): Unpacking {
    const file = new FileOfThread(job.blob);
    const layer = this.#run(job, file, onRead);
    // Whoever started it may be busy with a download; it will look at the promise later.
    layer.catch(() => {});
    return {
      layer,
      grow: (available, complete) => file.grow(available, complete),
      fail: (error) => file.fail(error),
    };
  }

  /** Ends the threads. Call it when no job is under way. */
  async close(): Promise<void> {
    await Promise.all(this.#idle.splice(0).map((thread) => thread.end()));
  }

  async #run(job: UnpackJob, file: FileOfThread, onRead: (read: number) => void): Promise<UnpackedLayer> {
    if (this.#busy >= this.#most) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    this.#busy++;
    try {
      const thread = await this.#thread();
      if (thread === undefined) return await carryOut(job, file, onRead);
      try {
        return await file.followedBy(thread, () => thread.run(job, onRead));
      } finally {
        if (thread.usable) this.#idle.push(thread);
      }
    } finally {
      this.#busy--;
      this.#waiting.shift()?.();
    }
  }

  async #thread(): Promise<UnpackThread | undefined> {
    const idle = this.#idle.pop();
    if (idle !== undefined || this.#withoutThreads) return idle;
    const thread = await UnpackThread.start();
    this.#withoutThreads = thread === undefined;
    return thread;
  }
}

/** Tells a thread what it is told itself. */
class FileOfThread extends GrowingFile {
  #last: { available: number; complete: boolean } = { available: 0, complete: false };
  #failed: { error: unknown } | undefined;
  #thread: UnpackThread | undefined;
  #sent = 0;

  override grow(available: number, complete = false): void {
    super.grow(available, complete);
    this.#last = { available, complete };
    this.#tell();
  }

  override fail(error: unknown): void {
    super.fail(error);
    this.#failed ??= { error };
    this.#thread?.fail(error);
  }

  async followedBy<Result>(thread: UnpackThread, run: () => Promise<Result>): Promise<Result> {
    const result = run();
    this.#thread = thread;
    this.#tell();
    if (this.#failed !== undefined) thread.fail(this.#failed.error);
    try {
      return await result;
    } finally {
      this.#thread = undefined;
    }
  }

  #tell(): void {
    const { available, complete } = this.#last;
    if (this.#thread === undefined || (!complete && available - this.#sent < STEP)) return;
    this.#sent = available;
    this.#thread.grow(available, complete);
  }
}

/** Bytes that a thread is told of at once: a message costs some 10 µs on each side. */
const STEP = 256 * 1024;
