import { closeSync, constants, openSync, readSync, watch } from 'node:fs';
import { elapsed } from '../../kernel/clock.ts';
import { signalName } from '../../kernel/index.ts';
import type { ExitStatus } from '../container.ts';
import { lockAbandoned } from '../container-directory.ts';
import { findContainer } from '../find-container.ts';
import { type ContainerRecord, readRecord } from '../record.ts';
import { sweep } from '../sweep.ts';
import { type Exit, exitFile, parseExit } from './exit-file.ts';

/**
 * Waits until a container has ended, and tells how; one that does not run has ended already. One that is started again by its restart policy has ended all the same.
 *
 * @throws {TsboxError} NO_CONTAINER, AMBIGUOUS_ID
 */
export async function waitForContainer(reference: string): Promise<ExitStatus> {
  return waitFor(findContainer(reference));
}

/** @param milliseconds undefined for ever. @returns undefined where it is still running then */
export async function waitFor(record: ContainerRecord): Promise<ExitStatus>;
export async function waitFor(record: ContainerRecord, milliseconds: number): Promise<ExitStatus | undefined>;
export async function waitFor(
  record: ContainerRecord,
  milliseconds?: number,
): Promise<ExitStatus | undefined> {
  const fd = openExit(record);
  if (fd === undefined) return recorded(readRecord(record.id) ?? record);
  return waitUntil(fd, record, milliseconds === undefined ? undefined : elapsed() + milliseconds);
}

/** By its exit file, which was opened when it was there: also of a container that is removed meanwhile. @param fd closed in the end */
export async function waitOn(fd: number, record: ContainerRecord): Promise<ExitStatus> {
  return (await waitUntil(fd, record, undefined)) as ExitStatus;
}

async function waitUntil(
  fd: number,
  record: ContainerRecord,
  end: number | undefined,
): Promise<ExitStatus | undefined> {
  const news = new News(fd);
  try {
    for (;;) {
      const status = look(fd, record);
      if (status !== undefined) return status;
      const left = end === undefined ? LOOK_UP : Math.min(LOOK_UP, end - elapsed());
      if (left <= 0) return undefined;
      await news.wait(left);
    }
  } finally {
    news.close();
    closeSync(fd);
  }
}

/** Undefined where it does not run, or is gone. For a container in the foreground the file is made by who waits. */
function openExit(record: ContainerRecord): number | undefined {
  if (record.status !== 'running' && record.status !== 'paused') return undefined;
  try {
    return openSync(exitFile(record.id), constants.O_RDONLY | constants.O_CREAT, 0o600);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

function look(fd: number, record: ContainerRecord): ExitStatus | undefined {
  const exit = readStatus(fd);
  if (exit !== undefined) return statusOf(exit);
  const lock = lockAbandoned(record.id);
  const now = readRecord(record.id);
  if (lock === undefined) return now === undefined ? statusOf(readStatus(fd)) : undefined;
  closeSync(lock);
  const late = readStatus(fd);
  if (late !== undefined) return statusOf(late);
  if (now?.status === 'exited') return recorded(now);
  // Whoever took care of it was killed, and it with them.
  sweep();
  const swept = readRecord(record.id);
  return swept?.status === 'exited' ? recorded(swept) : statusOf(undefined);
}

function readStatus(fd: number): Exit | undefined {
  const buffer = Buffer.alloc(128);
  const length = readSync(fd, buffer, 0, buffer.length, 0);
  return parseExit(buffer.toString('latin1', 0, length));
}

function statusOf(exit: Exit | undefined): ExitStatus {
  if (exit === undefined) return { code: 137, signal: 'SIGKILL', oomKilled: false };
  return {
    code: exit.code,
    ...(exit.signal > 0 && { signal: signalName(exit.signal) }),
    oomKilled: exit.oomKills > 0 && exit.code === 137,
  };
}

function recorded(record: ContainerRecord): ExitStatus {
  return { code: record.exitCode ?? 0, oomKilled: record.oomKilled ?? false };
}

/** Says when a file may have changed; events can be missed (a full queue), so nothing depends on them alone. */
export class News {
  readonly #watcher;
  #wake: (() => void) | undefined;
  #pending = false;

  constructor(file: number | string) {
    this.#watcher = watch(typeof file === 'number' ? `/proc/self/fd/${file}` : file, () => this.tell());
    this.#watcher.on('error', () => {});
  }

  /** Resolves at once where something happened since the last time. */
  async wait(milliseconds: number): Promise<void> {
    if (!this.#pending) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, milliseconds);
        this.#wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
    this.#wake = undefined;
    this.#pending = false;
  }

  close(): void {
    this.#watcher.close();
  }

  /** As if something had happened. */
  tell(): void {
    this.#pending = true;
    this.#wake?.();
  }
}

const LOOK_UP = 250;
