import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { TsboxError } from '../../kernel/index.ts';
import type { UnpackedLayer, UnpackJob } from './job.ts';
import { type FromWorker, receiveError, sendError, type ToWorker } from './message.ts';

/** A worker thread that unpacks one layer after the other. */
export class UnpackThread {
  readonly #worker: Worker;
  #ended: Error | undefined;
  readonly #ready = deferred<void>();
  #running: { done: Deferred<UnpackedLayer>; onRead: (read: number) => void } | undefined;

  /**
   * Its code is a file of its own beside the bundle that this is part of: dist/unpack-worker.cjs, for the command, the library and the single
   * executable alike. Run from its TypeScript sources, as in the unit tests, tsbox has no such file, and unpacks without threads.
   *
   * @returns undefined where there can be none: no such file, or the system gives no thread (EAGAIN)
   */
  static async start(): Promise<UnpackThread | undefined> {
    const file = join(import.meta.dirname, 'unpack-worker.cjs');
    if (!existsSync(file)) return undefined;
    try {
      // Flags of this Node are not for it: with --input-type it would not start.
      const worker = new Worker(file, { execArgv: [], resourceLimits: { maxYoungGenerationSizeMb: YOUNG } });
      const thread = new UnpackThread(worker);
      await thread.#ready.promise;
      return thread;
    } catch {
      return undefined;
    }
  }

  private constructor(worker: Worker) {
    this.#worker = worker;
    worker.on('message', (message: FromWorker) => this.#hear(message));
    worker.on('error', (error: NodeJS.ErrnoException) => this.#end(error));
    worker.on('exit', () => this.#end(new Error('it ended')));
  }

  /** Whether it can take another job. */
  get usable(): boolean {
    return this.#ended === undefined;
  }

  run(job: UnpackJob, onRead: (read: number) => void): Promise<UnpackedLayer> {
    const done = deferred<UnpackedLayer>();
    this.#running = { done, onRead };
    if (this.#ended === undefined) this.#say({ kind: 'job', job });
    else this.#end(this.#ended);
    return done.promise;
  }

  grow(available: number, complete: boolean): void {
    this.#say({ kind: 'grow', available, complete });
  }

  fail(error: unknown): void {
    this.#say({ kind: 'fail', error: sendError(error) });
  }

  async end(): Promise<void> {
    await this.#worker.terminate();
  }

  #say(message: ToWorker): void {
    this.#worker.postMessage(message);
  }

  #hear(message: FromWorker): void {
    if (message.kind === 'ready') {
      this.#ready.resolve();
      return;
    }
    if (message.kind === 'read') {
      this.#running?.onRead(message.read);
      return;
    }
    const done = this.#running?.done;
    this.#running = undefined;
    if (message.kind === 'done') done?.resolve(message.layer);
    else done?.reject(receiveError(message.error));
  }

  #end(error: Error): void {
    this.#ended ??= error;
    this.#ready.reject(error);
    const done = this.#running?.done;
    this.#running = undefined;
    done?.reject(
      new TsboxError('UNPACK_FAILED', `the thread that unpacks a layer failed: ${error.message}`, {
        cause: error,
      }),
    );
  }
}

interface Deferred<Value> {
  promise: Promise<Value>;
  resolve(value: Value): void;
  reject(error: unknown): void;
}

function deferred<Value>(): Deferred<Value> {
  const made: Partial<Deferred<Value>> = {};
  made.promise = new Promise((resolve, reject) => Object.assign(made, { resolve, reject }));
  return made as Deferred<Value>;
}

/**
 * MiB of short-lived objects. V8 would let them grow to 48 before it looks which of them are garbage, and with them the buffers that they hold: some
 * 15 MB more a thread.
 */
const YOUNG = 2;
