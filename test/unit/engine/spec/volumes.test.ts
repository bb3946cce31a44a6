import { describe, expect, it } from 'vitest';
import { refusal } from '../fake-host.ts';
import { build } from './alpine.ts';

describe("an image's volumes", () => {
  const volumes = (Volumes: unknown, options = {}) =>
    build(options, { config: { Cmd: ['x'], Volumes } }).volumes?.map(({ destination }) => destination);

  it('are volumes, but where something is mounted', () => {
    expect(volumes({ '/data': {}, '/var//lib/x/': {}, '/a/../b': null })).toEqual([
      '/data',
      '/var/lib/x',
      '/b',
    ]);
    expect(volumes({ '/data': {}, '/other': {} }, { tmpfs: ['/data'] })).toEqual(['/other']);
    expect(volumes({ '/data': {} }, { volumes: ['mine:/data'] })).toEqual(['/data']);
    expect(volumes({ '/proc/x': {}, '/dev': {}, '/sys': {} })).toBeUndefined();
    expect(build({}, { config: { Cmd: ['x'], Volumes: { '/proc/x': {} } } }).directories).toEqual([
      '/proc/x',
    ]);
    for (const none of [undefined, null, {}, { '/': {} }]) expect(volumes(none)).toBeUndefined();
  });

  it.each([
    [['/data'], 'is not an object'],
    ['/data', 'is not an object'],
    [{ data: {} }, 'is not an absolute path'],
    [{ '/a\0b': {} }, 'is not an absolute path'],
    [{ [`/${'x'.repeat(5000)}`]: {} }, 'is not an absolute path'],
    [Object.fromEntries(Array.from({ length: 200 }, (_, at) => [`/${at}`, {}])), 'is more than 128'],
  ])('are refused where they make no sense', (given, problem) => {
    expect(refusal(() => volumes(given), 'BAD_IMAGE')).toContain(problem);
  });
});
