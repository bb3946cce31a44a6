import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { Readable } from 'node:stream';
import { expect, it, vi } from 'vitest';
import { directory, entry, file, symlink } from '../../fixtures/tar.ts';
import { cli, describeRoot } from '../support/tsbox.ts';
import { watchMemory } from './support/memory.ts';
import { filesOf, useStore } from './support/store.ts';

const MEGABYTE = 2 ** 20;
/** What import takes for any archive at all, and no more for these. */
const ENOUGH = 150 * MEGABYTE;

// A million entries take their time on a busy machine.
vi.setConfig({ testTimeout: 240_000 });

describeRoot('archives that are too much', () => {
  const store = useStore();

  /** Imports what comes out of a generator, and looks at what that takes. */
  async function importing(pieces: Iterable<Buffer>) {
    const child = spawn(process.execPath, [cli, 'import', '-', 'big'], {
      env: { ...process.env, TSBOX_ROOT: store.root },
      stdio: ['pipe', 'ignore', 'pipe'],
    });
    const peak = watchMemory(child.pid as number);
    let stderr = '';
    child.stderr.setEncoding('utf8').on('data', (text) => {
      stderr += text;
    });
    // It stops reading where it has seen enough.
    child.stdin.on('error', () => {});
    const source = Readable.from(gathered(pieces));
    source.pipe(child.stdin);
    const [status] = await once(child, 'close');
    source.destroy();
    return { status, stderr, peak: peak() };
  }

  const refused = async (message: string, pieces: Iterable<Buffer>, enough = ENOUGH) => {
    const { status, stderr, peak } = await importing(pieces);
    expect(stderr).toContain(message);
    expect(stderr.trimEnd().split('\n').length).toBeLessThan(3);
    expect(status).toBe(125);
    expect(peak).toBeLessThan(enough);
    expect(filesOf(store.root).filter((path) => /unfinished|blobs\/sha256\/./.test(path))).toEqual([]);
  };

  it('a million entries take no more memory than one', async () => {
    const ignored = entry(file('.wh..wh.orph'));
    const { status, stderr, peak } = await importing(repeat(1_000_000, () => ignored));
    expect([status, stderr]).toEqual([0, '']);
    expect(peak).toBeLessThan(ENOUGH);
  });

  it('many files of one name end as one file', async () => {
    const again = entry(symlink('a', 'b'));
    const { status, stderr, peak } = await importing(repeat(20_000, () => again));
    expect([status, stderr]).toEqual([0, '']);
    expect(peak).toBeLessThan(ENOUGH);
  });

  const long = 'n'.repeat(250);

  it('more directories than can be kept in mind, with names of 3,800 bytes', () =>
    refused(
      'too many directories',
      repeat(40_000, (index) =>
        entry(directory('x', { pax: [['path', `${`${long}/`.repeat(15)}${index}`]] })),
      ),
      400 * MEGABYTE,
    ));

  it('directories that no entry describes, 15 for each entry', () =>
    refused(
      'too many directories',
      repeat(20_000, (index) =>
        entry(file('x', '', { pax: [['path', `${index}/${`${long}/`.repeat(14)}x`]] })),
      ),
      400 * MEGABYTE,
    ));

  it('headers that say only what the next header says', () =>
    refused(
      'describes one entry twice',
      repeat(100_000, () => entry(file('x', `${'x'.repeat(100)}`, { type: 'L' }))),
    ));
});

function* repeat(count: number, make: (index: number) => Buffer): Generator<Buffer> {
  for (let index = 0; index < count; index++) yield make(index);
  yield Buffer.alloc(1024);
}

/** In pieces of a size that pipes like. */
function* gathered(pieces: Iterable<Buffer>): Generator<Buffer> {
  let waiting: Buffer[] = [];
  let length = 0;
  for (const piece of pieces) {
    waiting.push(piece);
    length += piece.length;
    if (length < 256 * 1024) continue;
    yield Buffer.concat(waiting);
    [waiting, length] = [[], 0];
  }
  yield Buffer.concat(waiting);
}
