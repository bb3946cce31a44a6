import { Socket } from 'node:net';
import { finished } from 'node:stream/promises';
import type { ConnectedStreams } from './streams.ts';
import { TerminalStream } from './terminal-stream.ts';

/**
 * Our ends of the pipes as Node streams, in a file of its own because node:net takes 3 ms to load, which a container whose
 * streams are all passed through does not need. libuv reads them with epoll: no thread of the pool waits in a read, and a
 * reader that is slower than the program slows the program.
 */
export function connectStreams(
  ends: readonly { parent: number | undefined; copy: boolean }[],
): ConnectedStreams {
  const copies: Promise<void>[] = [];
  const [stdin, stdout, stderr] = ends.map(({ parent, copy }, index) => {
    if (parent === undefined) return null;
    const socket = new Socket({ fd: parent, readable: index !== 0, writable: index === 0 });
    if (!copy) return socket;
    if (index === 0) copyInput(socket);
    else copies.push(copyOutput(socket, index === 1 ? process.stdout : process.stderr));
    return null;
  });
  return {
    stdin: stdin ?? null,
    stdout: stdout ?? null,
    stderr: stderr ?? null,
    terminal: null,
    terminalFd: undefined,
    drained: Promise.all(copies).then(() => {}),
  };
}

/** The master end of a terminal as one stream for both directions. */
export function connectTerminal(fd: number): ConnectedStreams {
  const terminal = new TerminalStream(fd);
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
function copyInput(socket: Socket): void {
  socket.on('error', () => {});
  process.stdin.pipe(socket);
  socket.on('close', () => {
    process.stdin.unpipe(socket);
    process.stdin.pause();
    // Or our own terminal would keep this process alive after the container's end.
    (process.stdin as Partial<Socket>).unref?.();
  });
}

async function copyOutput(socket: Socket, to: NodeJS.WriteStream): Promise<void> {
  socket.pipe(to, { end: false });
  // Our reader may be gone (`tsbox run … | head`): then the program learns of it by SIGPIPE, as without us.
  to.once('error', () => socket.destroy());
  await finished(socket, { writable: false }).catch(() => {});
}
