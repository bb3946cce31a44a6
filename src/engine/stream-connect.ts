import { Socket } from 'node:net';
import { finished } from 'node:stream/promises';
import { TsboxError } from '../kernel/index.ts';
import type { ConnectedStreams, Observe } from './connected-streams.ts';
import { TerminalStream } from './terminal-stream.ts';

/**
 * Our ends of the pipes as Node streams, in a file of its own because node:net takes 3 ms to load, which a container whose
 * streams are all passed through does not need. libuv reads them with epoll: no thread of the pool waits in a read, and a
 * reader that is slower than the program slows the program.
 */
export function connectStreams(
  ends: readonly { parent: number | undefined; copy: boolean }[],
  observe: Observe = () => {},
): ConnectedStreams {
  const copies: Promise<void>[] = [];
  const failures: Error[] = [];
  const [stdin, stdout, stderr] = ends.map(({ parent, copy }, index) => {
    if (parent === undefined) return null;
    const socket = new Socket({ fd: parent, readable: index !== 0, writable: index === 0 });
    if (index > 0) observe(socket, index === 1 ? 'stdout' : 'stderr');
    if (!copy) return socket;
    if (index === 0) copyInput(socket, failures);
    else copies.push(copyOutput(socket, index, failures));
    return null;
  });
  const drained = Promise.all(copies).then(() => {
    if (failures[0]) throw failures[0];
  });
  // Whoever waits for the container hears of it; it may be known before anybody waits, which Node would take for a fault.
  drained.catch(() => {});
  return {
    stdin: stdin ?? null,
    stdout: stdout ?? null,
    stderr: stderr ?? null,
    terminal: null,
    terminalFd: undefined,
    drained,
  };
}

/** The master end of a terminal as one stream for both directions. */
export function connectTerminal(fd: number, observe: Observe = () => {}): ConnectedStreams {
  const terminal = new TerminalStream(fd);
  observe(terminal, 'stdout');
  return {
    stdin: null,
    stdout: null,
    stderr: null,
    terminal,
    terminalFd: terminal.fd,
    drained: Promise.resolve(),
  };
}

/** A program that has closed its input is no fault: what is left is dropped, as a shell's pipe would do. */
function copyInput(socket: Socket, failures: Error[]): void {
  socket.on('error', () => {});
  // A bad sector, say.
  process.stdin.on('error', (error) => {
    failures.push(streamError('read from standard input', error));
    socket.end();
  });
  process.stdin.pipe(socket);
  socket.on('close', () => {
    process.stdin.unpipe(socket);
    process.stdin.pause();
    // Or our own terminal would keep this process alive after the container's end.
    (process.stdin as Partial<Socket>).unref?.();
  });
}

async function copyOutput(socket: Socket, index: number, failures: Error[]): Promise<void> {
  const [to, name] = index === 1 ? [process.stdout, 'standard output'] : [process.stderr, 'standard error'];
  socket.pipe(to, { end: false });
  to.on('error', (error: NodeJS.ErrnoException) => {
    // Our reader may be gone (`tsbox run … | head`): then the program learns of it by SIGPIPE, as without us.
    socket.destroy();
    if (error.code !== 'EPIPE') failures.push(streamError(`write to ${name}`, error));
  });
  await finished(socket, { writable: false }).catch(() => {});
}

function streamError(doing: string, error: NodeJS.ErrnoException): TsboxError {
  return new TsboxError('STREAM_FAILED', `cannot ${doing}: ${error.message}`, { cause: error });
}
