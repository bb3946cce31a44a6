import { closeSync, constants, openSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { Duplex, Readable, Writable } from 'node:stream';
import { TsboxError } from '../../kernel/index.ts';
import type { ExitStatus } from '../container.ts';
import { noteEvents, ofContainer } from '../events/note.ts';
import { findContainer } from '../find-container.ts';
import { containersDirectory } from '../paths.ts';
import type { ContainerRecord } from '../record.ts';
import { exitFile } from './exit-file.ts';
import { FrameReader, frame } from './frames.ts';
import { waitForContainer, waitOn } from './wait.ts';

/** A connection to the streams or the terminal of a container that runs. There may be several at once; all see the same. */
export interface Attachment {
  readonly id: string;
  readonly name: string;
  /** Ending it ends the program's input. Null with a terminal, and where the container was made without `interactive`. */
  readonly stdin: Writable | null;
  /** Null with a terminal. Both must be read: as long as one is not, the program waits. */
  readonly stdout: Readable | null;
  readonly stderr: Readable | null;
  /** With a terminal: both directions. */
  readonly terminal: Duplex | null;
  resize(size: { columns: number; rows: number }): void;
  /** Lets go of it; the container runs on. */
  detach(): void;
  /** Resolves when the connection is over: the container has ended, or somebody detached. */
  readonly ended: Promise<void>;
  /** Resolves when the container has ended, also one that was removed at once. */
  wait(): Promise<ExitStatus>;
}

/**
 * Connects to a container's streams. What it wrote before is in its log only.
 *
 * @throws {TsboxError} NO_CONTAINER, NOT_RUNNING, NOT_DETACHED
 */
export async function attach(reference: string): Promise<Attachment> {
  const record = findContainer(reference);
  if (record.detached !== true) {
    throw new TsboxError('NOT_DETACHED', `container ${record.name} runs in the foreground of another tsbox`, {
      advice: "its streams are that one's; `tsbox logs` shows what it writes",
    });
  }
  return connectTo(record);
}

/** Also before the start, when the socket is there and nobody accepts yet. */
export async function connectTo(record: ContainerRecord): Promise<Attachment> {
  const socket = await open(record);
  noteEvents(ofContainer(record, 'attach'));
  // Open from now on, so that it can be read when the container is removed.
  return new Connection(record, socket, openSync(exitFile(record.id), 'r'));
}

function open(record: ContainerRecord): Promise<Socket> {
  const notRunning = () =>
    new TsboxError('NOT_RUNNING', `cannot attach to container ${record.name}: it is not running`, {
      advice: `\`tsbox start -a ${record.name}\` starts it`,
    });
  let directory: number;
  try {
    directory = openSync(join(containersDirectory(), record.id), constants.O_RDONLY | constants.O_DIRECTORY);
  } catch {
    throw notRunning();
  }
  return new Promise((resolve, reject) => {
    // An address has 108 bytes, and a store may be anywhere: unix(7).
    const socket = connect({ path: `/proc/self/fd/${directory}/attach`, allowHalfOpen: true });
    const settle = (act: () => void) => {
      closeSync(directory);
      act();
    };
    const fail = () => settle(() => reject(notRunning()));
    socket.once('error', fail);
    socket.once('connect', () => {
      socket.off('error', fail);
      settle(() => resolve(socket));
    });
  });
}

class Connection implements Attachment {
  readonly id: string;
  readonly name: string;
  readonly stdin;
  readonly stdout;
  readonly stderr;
  readonly terminal;
  readonly ended: Promise<void>;
  readonly #record: ContainerRecord;
  readonly #socket: Socket;
  readonly #exit: number;
  #status: Promise<ExitStatus> | undefined;
  #detached = false;

  constructor(record: ContainerRecord, socket: Socket, exit: number) {
    this.#record = record;
    this.#exit = exit;
    this.id = record.id;
    this.name = record.name;
    this.#socket = socket;
    const { tty = false, interactive = false } = record.options ?? {};
    const more = () => void socket.resume();
    const send = (chunk: Buffer, _: string, done: (error?: Error | null) => void) =>
      this.#send(frame('i', chunk), done);
    const close = (done: (error?: Error | null) => void) => this.#send(frame('c'), done);
    this.terminal = tty ? new Duplex({ read: more, write: send, final: (done) => done() }) : null;
    this.stdin = interactive && !tty ? new Writable({ write: send, final: close }) : null;
    this.stdout = tty ? null : new Readable({ read: more });
    this.stderr = tty ? null : new Readable({ read: more });
    const reader = new FrameReader((kind, piece) => {
      const to = this.terminal ?? (kind === 'e' ? this.stderr : this.stdout);
      if (to?.destroyed === false && !to.push(piece)) socket.pause();
    });
    socket.on('data', (bytes: Buffer) => reader.push(bytes));
    socket.on('error', () => {}); // `close` follows
    socket.pause();
    this.ended = new Promise((resolve) => {
      const over = () => {
        for (const stream of [this.terminal, this.stdout, this.stderr])
          if (!stream?.readableEnded) stream?.push(null);
        socket.destroy();
        // Also where nobody asks: it closes the file.
        if (!this.#detached) this.wait().catch(() => {});
        resolve();
      };
      socket.once('end', over);
      socket.once('close', over);
    });
    more();
  }

  resize(size: { columns: number; rows: number }): void {
    if (this.terminal === null) throw new TsboxError('NO_TERMINAL', `container ${this.name} has no terminal`);
    const payload = Buffer.alloc(4);
    payload.writeUInt16BE(Math.min(size.rows, 0xffff), 0);
    payload.writeUInt16BE(Math.min(size.columns, 0xffff), 2);
    this.#send(frame('w', payload), () => {});
    const { rows, columns } = size;
    noteEvents(ofContainer(this.#record, 'resize', { height: String(rows), width: String(columns) }));
  }

  wait(): Promise<ExitStatus> {
    this.#status ??= this.#detached ? waitForContainer(this.id) : waitOn(this.#exit, this.#record);
    return this.#status;
  }

  detach(): void {
    if (!this.#detached && this.#status === undefined) {
      closeSync(this.#exit);
      noteEvents(ofContainer(this.#record, 'detach'));
    }
    this.#detached = true;
    // What is on its way to the program still gets there.
    this.#socket.destroySoon();
  }

  /** What is typed when nobody is left to read it is dropped, as by a real terminal. */
  #send(bytes: Buffer, done: (error?: Error | null) => void): void {
    if (this.#socket.destroyed || !this.#socket.writable) done();
    else this.#socket.write(bytes, () => done());
  }
}
