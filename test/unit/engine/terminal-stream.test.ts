import { closeSync, constants, openSync, readdirSync, readSync, writeSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { TerminalStream } from '../../../src/engine/terminal-stream.ts';
import { syscall } from '../../../src/kernel/index.ts';

/** A terminal of the host's: both ends. Numbers from asm-generic/ioctls.h. */
function openTerminal(): { master: number; slave: number } {
  const master = openSync('/dev/ptmx', constants.O_RDWR | constants.O_NOCTTY);
  syscall('ioctl', [master, TIOCSPTLCK, Buffer.alloc(4)]);
  const flags = constants.O_RDWR | constants.O_NOCTTY | constants.O_NONBLOCK;
  return { master, slave: syscall('ioctl', [master, TIOCGPTPEER, flags]) };
}

const TIOCSPTLCK = 0x40045431;
const TIOCGPTPEER = 0x5441;

async function textOf(stream: TerminalStream): Promise<string> {
  let text = '';
  for await (const chunk of stream) text += chunk;
  return text;
}

describe('TerminalStream', () => {
  it('gives all that was written before the last process was gone', async () => {
    const { master, slave } = openTerminal();
    const lines = Array.from({ length: 2000 }, (_, line) => `${line}\n`).join('');
    const written = writeSync(slave, lines);
    expect(written).toBeGreaterThan(4095);
    closeSync(slave);
    const stream = new TerminalStream(master);
    expect(await textOf(stream)).toBe(lines.slice(0, written).replaceAll('\n', '\r\n'));
  });

  it('keeps what its reader has not taken yet', async () => {
    const { master, slave } = openTerminal();
    const stream = new TerminalStream(master);
    writeSync(slave, 'first\n');
    await new Promise((resolve) => stream.once('readable', resolve));
    writeSync(slave, 'second\n');
    closeSync(slave);
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(await textOf(stream)).toBe('first\r\nsecond\r\n');
  });

  it('types', async () => {
    const { master, slave } = openTerminal();
    const stream = new TerminalStream(master);
    await new Promise((resolve) => stream.write('ls\n', resolve));
    const line = Buffer.alloc(16);
    expect(line.toString('utf8', 0, readSync(slave, line))).toBe('ls\n');
    stream.destroy();
    closeSync(slave);
  });

  it('swallows what is typed after the end', async () => {
    const { master, slave } = openTerminal();
    const stream = new TerminalStream(master);
    stream.on('data', () => {});
    closeSync(slave);
    await new Promise((resolve) => stream.once('end', resolve));
    const problem = await new Promise((resolve) => stream.write('nobody reads this', resolve));
    expect(problem ?? undefined).toBeUndefined();
    stream.destroy();
  });

  it('leaves no descriptor behind', async () => {
    const before = readdirSync('/proc/self/fd').length;
    for (let i = 0; i < 10; i++) {
      const { master, slave } = openTerminal();
      const stream = new TerminalStream(master);
      closeSync(slave);
      await textOf(stream);
      await new Promise((resolve) => stream.once('close', resolve).destroy());
    }
    expect(readdirSync('/proc/self/fd').length).toBe(before);
  });
});
