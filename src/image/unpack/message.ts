import { TsboxError } from '../../kernel/index.ts';
import type { UnpackedLayer, UnpackJob } from './job.ts';

/** What the thread of the pull or import says to the one that unpacks. One job after the other. */
export type ToWorker =
  | { kind: 'job'; job: UnpackJob }
  | { kind: 'grow'; available: number; complete: boolean }
  | { kind: 'fail'; error: SentError };

/** And what that one answers: that it runs, how far it is, how it ended. */
export type FromWorker =
  | { kind: 'ready' }
  | { kind: 'read'; read: number }
  | { kind: 'done'; layer: UnpackedLayer }
  | { kind: 'failed'; error: SentError };

/** An error as plain data: between threads, errors keep nothing but their message. */
export interface SentError {
  message: string;
  code: string | undefined;
  /** Of a TsboxError. */
  ours: { advice: string | undefined; exitCode: number } | undefined;
}

export function sendError(error: unknown): SentError {
  const { message, code } = error as NodeJS.ErrnoException;
  const ours = error instanceof TsboxError ? { advice: error.advice, exitCode: error.exitCode } : undefined;
  return { message: message ?? String(error), code, ours };
}

export function receiveError({ message, code, ours }: SentError): Error {
  if (ours === undefined) return Object.assign(new Error(message), code === undefined ? {} : { code });
  const { advice, exitCode } = ours;
  return new TsboxError(code ?? '', message, { exitCode, ...(advice !== undefined && { advice }) });
}
