import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { closeSync, constants, openSync } from 'node:fs';
import { ReadStream } from 'node:tty';
import { setWindowSize, syscall } from '../../../src/kernel/index.ts';
import { cli, environment, eventually } from './tsbox.ts';

/** What a person sees and does at a terminal in which `tsbox` was started. pty(7), ioctl_tty(2). */
export class Terminal {
  readonly process: ChildProcess;
  readonly ended: Promise<{ status: number | null; signal: string | null }>;
  #master: ReadStream;
  #fd: number;
  #slave: number;
  #shown = '';
  #closed = false;

  constructor(args: readonly string[], { rows = 24, columns = 80 } = {}) {
    const { O_RDWR, O_NOCTTY } = constants;
    this.#fd = openSync('/dev/ptmx', O_RDWR | O_NOCTTY);
    syscall('ioctl', [this.#fd, TIOCSPTLCK, Buffer.alloc(4)]);
    this.#slave = syscall('ioctl', [this.#fd, TIOCGPTPEER, O_RDWR | O_NOCTTY]);
    setWindowSize(this.#fd, { rows, columns });
    // Its session's terminal, as a shell in a window has it: else no SIGWINCH comes.
    const stdio = [this.#slave, this.#slave, this.#slave] as const;
    this.process = spawn('setsid', ['--ctty', cli, ...args], { stdio: [...stdio], env: environment() });
    this.ended = new Promise((resolve) => {
      this.process.on('exit', (status, signal) => resolve({ status, signal }));
    });
    this.#master = new ReadStream(syscall('fcntl', [this.#fd, F_DUPFD_CLOEXEC, 3]));
    this.#master.setEncoding('utf8').on('error', () => {});
    this.#master.on('data', (chunk) => {
      this.#shown += chunk;
    });
  }

  get shown(): string {
    return this.#shown;
  }

  /** Waits until the text is shown, after what was waited for before. */
  async shows(text: string): Promise<void> {
    await eventually(
      () => this.#shown.includes(text),
      () => `${JSON.stringify(text)} in ${JSON.stringify(this.#shown)}`,
    );
    this.#shown = this.#shown.slice(this.#shown.indexOf(text) + text.length);
  }

  type(text: string): void {
    this.#master.write(text);
  }

  resize(size: { rows: number; columns: number }): void {
    setWindowSize(this.#fd, size);
  }

  /** All settings, as `stty -g` prints them. */
  settings(): string {
    return execFileSync('stty', ['-g'], { stdio: [this.#slave, 'pipe', 'inherit'], encoding: 'utf8' }).trim();
  }

  /** Closes the window. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#master.destroy();
    closeSync(this.#slave);
    closeSync(this.#fd);
  }
}

const F_DUPFD_CLOEXEC = 1030;
const TIOCSPTLCK = 0x40045431;
const TIOCGPTPEER = 0x5441;
