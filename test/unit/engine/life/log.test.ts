import {
  appendFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { moment, parseLine, readLog } from '../../../../src/engine/life/log/index.ts';
import { LogWriter } from '../../../../src/engine/life/log/write.ts';
import { logSettings } from '../../../../src/engine/life/log-options.ts';
import { type ContainerRecord, writeRecord } from '../../../../src/engine/record.ts';

const ID = 'ab'.repeat(32);
let root: string;
let usual: string | undefined;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'tsbox-log-'));
  usual = process.env.TSBOX_ROOT;
  process.env.TSBOX_ROOT = root;
  mkdirSync(join(root, 'containers', ID), { recursive: true });
  mkdirSync(join(root, 'names'));
  symlinkSync(ID, join(root, 'names', 'web'));
  record('exited');
});
afterEach(() => {
  if (usual === undefined) delete process.env.TSBOX_ROOT;
  else process.env.TSBOX_ROOT = usual;
  rmSync(root, { recursive: true, force: true });
});

const file = (name = 'container.log') => join(root, 'containers', ID, name);
const record = (status: ContainerRecord['status']) =>
  writeRecord({
    id: ID,
    name: 'web',
    image: 'a',
    imageId: 'sha256:1',
    command: [],
    created: '2026-01-01T00:00:00.000Z',
    labels: {},
    status,
    rm: false,
    detached: true,
  });
const line = (second: number, text: string, stream = 'stdout', tag = 'F') =>
  `2026-11-23T10:00:${String(second).padStart(2, '0')}.000000000Z ${stream} ${tag} ${text}\n`;
async function read(options?: Parameters<typeof readLog>[1]): Promise<string[]> {
  const texts: string[] = [];
  for await (const { text } of readLog('web', options)) texts.push(text.toString());
  return texts;
}

describe('a line', () => {
  it('is taken apart', () => {
    expect(parseLine(Buffer.from(line(1, 'a b').trimEnd()))).toEqual({
      time: '2026-11-23T10:00:01.000000000Z',
      stream: 'stdout',
      partial: false,
      text: Buffer.from('a b'),
    });
    expect(parseLine(Buffer.from(line(1, '\xff', 'stderr', 'P').trimEnd(), 'latin1'))).toMatchObject({
      stream: 'stderr',
      partial: true,
      text: Buffer.from([0xff]),
    });
    expect(parseLine(Buffer.from(line(1, '').slice(0, -1)))?.text).toEqual(Buffer.alloc(0));
  });

  it.each(['', 'x', '2026-11-23T10:00:01.000000000Z stdout', '\0'.repeat(60)])(
    'that was cut off is none: %j',
    (text) => {
      expect(parseLine(Buffer.from(text))).toBeUndefined();
    },
  );
});

describe('reading', () => {
  it('goes through rotated files, oldest first', async () => {
    writeFileSync(file('container.log.10'), line(1, 'one'));
    writeFileSync(file('container.log.2'), line(2, 'two'));
    writeFileSync(file('container.log.1'), line(3, 'three'));
    writeFileSync(file(), line(4, 'four'));
    expect(await read()).toEqual(['one', 'two', 'three', 'four']);
  });

  it('gives the end across files; a line of several pieces is one', async () => {
    writeFileSync(file('container.log.1'), line(1, 'one') + line(2, 'two'));
    writeFileSync(file(), line(3, 'piece', 'stdout', 'P') + line(3, 'rest') + line(4, 'four'));
    expect(await read({ tail: 0 })).toEqual([]);
    expect(await read({ tail: 1 })).toEqual(['four']);
    expect(await read({ tail: 2 })).toEqual(['piece', 'rest', 'four']);
    expect(await read({ tail: 3 })).toEqual(['two', 'piece', 'rest', 'four']);
    expect(await read({ tail: 9 })).toEqual(['one', 'two', 'piece', 'rest', 'four']);
    writeFileSync(file(), line(3, 'whole') + line(4, 'no newline', 'stdout', 'P'));
    expect(await read({ tail: 1 })).toEqual(['no newline']);
  });

  it('gives the end of a file that is larger than what is read at once', async () => {
    const lines = Array.from({ length: 20_000 }, (_, i) => `line ${i}`);
    writeFileSync(file(), lines.map((text, i) => line(i % 60, text)).join(''));
    expect(await read({ tail: 15_000 })).toEqual(lines.slice(-15_000));
    expect((await read()).length).toBe(20_000);
  });

  it('keeps to times', async () => {
    writeFileSync(file(), [1, 2, 3, 4].map((second) => line(second, `${second}`)).join(''));
    expect(await read({ since: '2026-11-23T10:00:02Z' })).toEqual(['2', '3', '4']);
    expect(await read({ until: '2026-11-23T10:00:02Z' })).toEqual(['1', '2']);
    expect(await read({ since: '2026-11-23T10:00:01.5Z', until: '2026-11-23T10:00:03Z' })).toEqual([
      '2',
      '3',
    ]);
  });

  it('leaves out what is damaged', async () => {
    writeFileSync(file(), `${line(1, 'one')}\0\0\0\0 half\n${line(2, 'two')}2026-11-23T10`);
    expect(await read()).toEqual(['one', 'two']);
  });

  it('follows what is written, rotated and begun anew, until the end', async () => {
    record('restarting'); // neither ended nor in need of an owner
    writeFileSync(file(), line(1, 'one'));
    const texts: string[] = [];
    const reading = (async () => {
      for await (const { text } of readLog('web', { follow: true })) texts.push(text.toString());
    })();
    const until = async (count: number) => {
      for (const end = Date.now() + 5000; texts.length < count && Date.now() < end; )
        await new Promise((r) => setTimeout(r, 10));
      expect(texts.length).toBe(count);
    };
    await until(1);
    appendFileSync(file(), line(2, 'two'));
    await until(2);
    appendFileSync(file(), line(3, 'three'));
    renameSync(file(), file('container.log.1'));
    writeFileSync(file(), line(4, 'four'));
    renameSync(file('container.log.1'), file('container.log.2'));
    renameSync(file(), file('container.log.1'));
    writeFileSync(file(), line(5, 'five'));
    await until(5);
    truncateSync(file(), 0);
    await new Promise((resolve) => setTimeout(resolve, 100));
    appendFileSync(file(), line(6, 'six'));
    await until(6);
    record('exited');
    await reading;
    expect(texts).toEqual(['one', 'two', 'three', 'four', 'five', 'six']);
  });
});

describe('writing', () => {
  const settings = { maxSize: 0, maxFiles: 1 };

  it('is line by line, with pieces of 16 KiB, whatever the chunks', async () => {
    const writer = new LogWriter(ID, settings);
    const stream = new PassThrough();
    writer.follow(stream, 'stdout');
    stream.resume();
    for (const chunk of ['a\nb', 'c\n', '\n', 'x'.repeat(20_000), '\nend']) stream.write(chunk);
    stream.end();
    await new Promise((resolve) => stream.on('close', resolve));
    const lines = readFileSync(file(), 'latin1').split('\n').slice(0, -1);
    expect(lines.map((each) => each.slice(31))).toEqual([
      'stdout F a',
      'stdout F bc',
      'stdout F ',
      `stdout P ${'x'.repeat(16384)}`,
      `stdout F ${'x'.repeat(3616)}`,
      'stdout P end',
    ]);
    writer.close();
  });

  it('begins new files, of which there are so many and no more', async () => {
    const writer = new LogWriter(ID, { maxSize: 100, maxFiles: 3 });
    const stream = new PassThrough();
    writer.follow(stream, 'stderr');
    stream.resume();
    for (let i = 0; i < 20; i++) stream.write(`${i}\n`);
    expect(await read()).toEqual(['14', '15', '16', '17', '18', '19']);
    writer.close();
  });
});

describe('--since and --until', () => {
  it.each([
    ['1763892000', '2025-11-23T10:00:00.000000000Z'],
    ['1763892000.5', '2025-11-23T10:00:00.500000000Z'],
    ['2026-11-23T10:00:00Z', '2026-11-23T10:00:00.000000000Z'],
    ['2026-11-23T10:00:00.123456789Z', '2026-11-23T10:00:00.123456789Z'],
    ['2026-11-23T12:00:00+02:00', '2026-11-23T10:00:00.000000000Z'],
    ['90m', '2026-11-23T08:30:00.000000000Z'],
    ['1h30m', '2026-11-23T08:30:00.000000000Z'],
    ['1500ms', '2026-11-23T09:59:58.500000000Z'],
  ])('%s', (text, expected) => {
    expect(moment('--since', text, Date.parse('2026-11-23T10:00:00Z'))).toBe(expected);
  });

  it.each(['', 'yesterday', '10', '10x', '2026-13-01T00:00:00Z', '-5m'])('%j is none', (text) => {
    if (text === '10') expect(moment('--since', text)).toBe('1970-01-01T00:00:10.000000000Z');
    else expect(() => moment('--since', text)).toThrow(/--since .*: not a time/);
  });
});

describe('log options', () => {
  it("are Docker's", () => {
    expect(logSettings({})).toEqual({ maxSize: 0, maxFiles: 1 });
    expect(logSettings({ logDriver: 'json-file', logOpts: { 'max-size': '10m', 'max-file': '3' } })).toEqual({
      maxSize: 10 * 1024 * 1024,
      maxFiles: 3,
    });
    expect(logSettings({ logDriver: 'none' }).maxSize).toBe(-1);
    expect(() => logSettings({ logOpts: { 'max-file': '3' } })).toThrow('means nothing without max-size');
    expect(() => logSettings({ logOpts: { 'max-size': '1m', 'max-file': '0' } })).toThrow(
      'not a number from 1 to 9999',
    );
  });
});
