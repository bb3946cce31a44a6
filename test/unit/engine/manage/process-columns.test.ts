import { expect, test } from 'vitest';
import {
  chooseColumns,
  type ProcessFacts,
  readFacts,
} from '../../../../src/engine/manage/process-columns.ts';

const facts: ProcessFacts = {
  ...{ pid: 42, ppid: 7, uid: 0, gid: 0, name: 'sh', command: 'sh -c true', state: 'S', nice: 5, threads: 2 },
  ...{ terminal: 0, time: 3725, elapsed: 90_061, resident: 2_097_152, virtual: 8_388_608 },
};
const row = (...options: string[]) => chooseColumns(options).map(({ title, show }) => [title, show(facts)]);

test('-ef is what is shown where nothing was asked for', () => {
  expect(row().map(([title]) => title)).toEqual(['UID', 'PID', 'PPID', 'C', 'STIME', 'TTY', 'TIME', 'CMD']);
  expect(row('-ef')).toEqual(row());
  const [, pid, ppid, , , tty, time, cmd] = row().map(([, value]) => value);
  expect([pid, ppid, tty, time, cmd]).toEqual(['42', '7', '?', '01:02:05', 'sh -c true']);
});

test('columns by name, with titles of one’s own', () => {
  expect(row('-o', 'pid,rss,vsz,etime,ni,nlwp,comm')).toEqual([
    ...[
      ['PID', '42'],
      ['RSS', '2048'],
      ['VSZ', '8192'],
      ['ELAPSED', '1-01:01:01'],
    ],
    ...[
      ['NI', '5'],
      ['NLWP', '2'],
      ['COMMAND', 'sh'],
    ],
  ]);
  expect(row('-eo', 'pid=NUMBER,uid')).toEqual([
    ['NUMBER', '42'],
    ['UID', '0'],
  ]);
  expect(() => row('-o', 'toString')).toThrow('no such column');
  expect(() => row('--forest')).toThrow('not -ef, aux or -o');
});

test('terminals by their device number', () => {
  const [column] = chooseColumns(['-o', 'tty']);
  expect(column?.show({ ...facts, terminal: (136 << 8) | 3 })).toBe('pts/3');
  // 136:256 and up: the minor number's upper bits are in another place.
  expect(column?.show({ ...facts, terminal: (136 << 8) | (1 << 20) })).toBe('pts/256');
  expect(column?.show({ ...facts, terminal: (4 << 8) | 1 })).toBe('tty1');
});

test('this process, as /proc has it; one that has ended is not there', () => {
  const own = readFacts(process.pid);
  expect(own).toMatchObject({ pid: process.pid, ppid: process.ppid, uid: process.getuid?.() });
  expect(own?.resident).toBeGreaterThan(1_000_000);
  expect(readFacts(4_194_305)).toBeUndefined();
});
