import { appendFileSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { fitsEvent } from '../../../../src/engine/events/filter.ts';
import { type NewEvent, noteEvents } from '../../../../src/engine/events/note.ts';
import { type EventOptions, readEvents } from '../../../../src/engine/events/read.ts';

let root: string;
const before = process.env.TSBOX_ROOT;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'tsbox-events-'));
  process.env.TSBOX_ROOT = root;
});
afterEach(() => {
  if (before === undefined) delete process.env.TSBOX_ROOT;
  else process.env.TSBOX_ROOT = before;
  rmSync(root, { recursive: true });
});

const event = (action: string, attributes: Record<string, string> = {}): NewEvent => ({
  type: 'container',
  action,
  id: 'a'.repeat(64),
  attributes,
});
const journal = () => join(root, 'events', 'journal');

async function all(options: EventOptions): Promise<string[]> {
  const actions: string[] = [];
  for await (const { action } of readEvents(options)) actions.push(action);
  return actions;
}

describe('the journal', () => {
  it('has a line an event, whatever is in it', () => {
    noteEvents(event('create', { name: 'line\nbreak' }), event('start'));
    const lines = readFileSync(journal(), 'utf8').split('\n');
    // Empty ones end what a full disk has cut off.
    expect(lines).toHaveLength(4);
    expect(lines[0]).toBe('');
    expect(JSON.parse(lines[1] as string)).toEqual({
      time: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z$/),
      ...event('create', { name: 'line\nbreak' }),
    });
    expect(statSync(journal()).mode & 0o777).toBe(0o600);
  });

  it('has the events of one process in their order', () => {
    for (let at = 0; at < 200; at++) noteEvents(event(`n${at}`));
    const times = readFileSync(journal(), 'utf8').match(/"time":"[^"]+/g) as string[];
    expect(times).toHaveLength(200);
    expect(new Set(times).size).toBe(200);
    expect(times).toEqual([...times].sort());
  });

  it('loses no more than the event that a full disk has cut off', async () => {
    noteEvents(event('create'));
    appendFileSync(journal(), '{"time":"2026-11-23T10:00:00.000000000Z","type":"cont');
    noteEvents(event('start'));
    // `0s` is a millisecond.
    await new Promise((resolve) => setTimeout(resolve, 2));
    expect(await all({ since: '1h', until: '0s' })).toEqual(['create', 'start']);
  });

  it('tells what was, between two moments, and leaves out what is damaged', async () => {
    noteEvents(event('create'));
    appendFileSync(journal(), '{"time":"2026\n[]\nnull\n{"time":1}\n');
    noteEvents(event('start'));
    // `0s` is a millisecond.
    await new Promise((resolve) => setTimeout(resolve, 2));
    expect(await all({ since: '1h', until: '0s' })).toEqual(['create', 'start']);
    expect(await all({ since: '2020-01-01', until: '2020-01-02' })).toEqual([]);
    expect(await all({ since: '1h', until: '0s', filters: { event: ['start'] } })).toEqual(['start']);
  });

  it('is followed over the change from one file to the next, and is bounded', async () => {
    const stop = new AbortController();
    const seen: string[] = [];
    const following = (async () => {
      for await (const { action } of readEvents({ signal: stop.signal })) {
        seen.push(action);
        if (action === 'last') stop.abort();
      }
    })();
    await new Promise((resolve) => setImmediate(resolve));
    const long = 'x'.repeat(100_000);
    for (let at = 0; at < 100; at++) noteEvents(event(`n${at}`, { long }));
    noteEvents(event('last'));
    await following;
    await new Promise((resolve) => setTimeout(resolve, 2));
    expect(seen.at(-1)).toBe('last');
    // Three files were begun; two are kept.
    expect(statSync(`${journal()}.1`).size).toBeGreaterThan(4 * 2 ** 20);
    expect(statSync(`${journal()}.1`).size).toBeLessThan(5 * 2 ** 20);
    expect((await all({ since: '1h', until: '0s' })).at(-1)).toBe('last');
  });

  it('never stops what it tells of', () => {
    process.env.TSBOX_ROOT = '/dev/null/nowhere';
    expect(() => noteEvents(event('start'))).not.toThrow();
  });
});

describe('filters', () => {
  const died = { time: '', ...event('die', { name: 'web', image: 'alpine:3.20', env: 'test' }) };
  it.each([
    [{}, true],
    [{ type: ['container'] }, true],
    [{ type: ['image', 'container'], event: ['die'] }, true],
    [{ event: ['start'] }, false],
    [{ container: ['web'] }, true],
    [{ container: ['aaaa'] }, true],
    [{ container: [''] }, false],
    [{ image: ['alpine'] }, true],
    [{ image: ['debian'] }, false],
    [{ label: ['env=test'] }, true],
    [{ label: ['env=live'] }, false],
    [{ volume: ['web'] }, false],
  ])('%j: %s', (filters, expected) => {
    expect(fitsEvent(died, filters)).toBe(expected);
  });
  it('of an action mean all of its kind', () => {
    const health = { time: '', ...event('health_status: healthy') };
    expect(fitsEvent(health, { event: ['health_status'] })).toBe(true);
    expect(fitsEvent(health, { event: ['health'] })).toBe(false);
  });
});
