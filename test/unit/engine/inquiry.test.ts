import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Asked, answerOf, type Question } from '../../../src/engine/asked.ts';
import { thisHost } from '../../../src/engine/host.ts';
import { Inquiry } from '../../../src/engine/inquiry.ts';

let directory: string;
let file: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'tsbox-inquiry-'));
  file = join(directory, 'file');
  writeFileSync(file, 'one\n');
});

afterEach(() => rmSync(directory, { recursive: true, force: true }));

function inquire(...questions: Question[]): Inquiry {
  return new Inquiry(questions.map((question) => ({ question, answer: answerOf(thisHost, question) })));
}

describe('questions that are asked at once', () => {
  test('have the answers that Node gives', () => {
    symlinkSync('file', join(directory, 'link'));
    symlinkSync('nowhere', join(directory, 'dangling'));
    const paths = [file, directory, '/dev/null', '/proc/self/limits', '/proc/kmsg/x', '/proc/version'];
    for (const name of ['link', 'dangling', 'absent', 'file/below']) paths.push(join(directory, name));
    const questions = paths.flatMap((path): Question[] => [
      ['exists', path],
      ['status', path],
      ['readText', path],
    ]);
    const inquiry = inquire(...questions);
    expect(inquiry.left).toEqual([]);
    expect(inquiry.answersAlike()).toBe(true);
    expect(inquiry.answersAlike()).toBe(true);
  });

  test.each<[string, Question[0], () => void]>([
    ['a text', 'readText', () => writeFileSync(file, 'two\n')],
    ['a longer text', 'readText', () => writeFileSync(file, 'one\n\n')],
    ['a shorter text', 'readText', () => writeFileSync(file, 'one')],
    ['a text that is gone', 'readText', () => rmSync(file)],
    ['a file that is gone', 'exists', () => rmSync(file)],
    ['a mode', 'status', () => chmodSync(file, 0o600)],
    [
      'a kind',
      'status',
      () => {
        rmSync(file);
        mkdirSync(file, { mode: 0o644 });
      },
    ],
  ])('are answered otherwise after a change of %s', (_, name, change) => {
    chmodSync(file, 0o644);
    const inquiry = inquire([name, file], ['exists', directory]);
    expect(inquiry.answersAlike()).toBe(true);
    change();
    expect(inquiry.answersAlike()).toBe(false);
  });

  test('and after what was not there has come', () => {
    const absent = join(directory, 'absent');
    for (const name of ['exists', 'status', 'readText'] as const) {
      const inquiry = inquire([name, absent], ['readText', file]);
      expect(inquiry.answersAlike()).toBe(true);
      writeFileSync(absent, '');
      expect(inquiry.answersAlike()).toBe(false);
      rmSync(absent);
    }
  });

  test('do not mind what nobody asked about', () => {
    const inquiry = inquire(['status', file]);
    writeFileSync(file, 'later, and longer\n');
    expect(inquiry.answersAlike()).toBe(true);
  });

  test('are left to Node where the kernel has no answer of that form', () => {
    writeFileSync(file, Buffer.from([0xff, 0xfe]));
    const questions: Question[] = [
      ['readText', file],
      ['list', directory],
      ['realPath', file],
      ['hostname', ''],
      ['exists', `${file}\0`],
    ];
    expect(inquire(...questions, ['exists', file]).left.map(({ question }) => question)).toEqual(questions);
  });

  test('leave no descriptor', () => {
    const inquiry = inquire(['readText', file], ['readText', directory], ['readText', '/proc/self/limits']);
    const before = readdirSync('/proc/self/fd').length;
    for (let time = 0; time < 20; time++) expect(inquiry.answersAlike()).toBe(true);
    expect(readdirSync('/proc/self/fd')).toHaveLength(before);
  });
});

test('who asks again notices every change', () => {
  const asked = new Asked(thisHost);
  expect(asked.host.readText(file)).toBe('one\n');
  expect(asked.host.list(directory)).toEqual(['file']);
  for (let time = 0; time < 3; time++) expect(asked.answersAlike()).toBe(true);
  writeFileSync(file, 'two\n');
  expect(asked.answersAlike()).toBe(false);
  writeFileSync(file, readFileSync(file, 'latin1').replace('two', 'one'));
  expect(asked.answersAlike()).toBe(true);
  writeFileSync(join(directory, 'other'), '');
  expect(asked.answersAlike()).toBe(false);
});
