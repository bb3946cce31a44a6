import { parentPort } from 'node:worker_threads';
import { GrowingFile } from './growing-file.ts';
import { carryOut, type UnpackJob } from './job.ts';
import { type FromWorker, receiveError, sendError, type ToWorker } from './message.ts';

/**
 * The start of a worker thread: dist/unpack-worker.cjs. Carries out one job after the other. Decompression is on libuv's threads from
 * here too, so that a single layer keeps three of them busy: the one that downloads, the one that decompresses, and this one.
 */
const port = parentPort;
let file: GrowingFile | undefined;

port?.on('message', (message: ToWorker) => {
  if (message.kind === 'job') void work(message.job);
  else if (message.kind === 'grow') file?.grow(message.available, message.complete);
  else file?.fail(receiveError(message.error));
});
say({ kind: 'ready' });

async function work(job: UnpackJob): Promise<void> {
  const mine = new GrowingFile(job.blob);
  file = mine;
  let said = 0;
  const onRead = (read: number) => {
    if (read - said < STEP) return;
    said = read;
    say({ kind: 'read', read });
  };
  try {
    say({ kind: 'done', layer: await carryOut(job, mine, onRead) });
  } catch (error) {
    say({ kind: 'failed', error: sendError(error) });
  }
}

function say(message: FromWorker): void {
  port?.postMessage(message);
}

/** Bytes between two reports: a message costs some 10 µs on each side. */
const STEP = 1 << 20;
