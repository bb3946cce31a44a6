import { describe, expect, it } from 'vitest';
import { parseReference, tryReference } from '../../../src/image/reference.ts';
import { similarName } from '../../../src/image/store/similar.ts';

describe('parseReference', () => {
  it.each([
    ['alpine', 'alpine:latest'],
    ['alpine:3.20', 'alpine:3.20'],
    ['docker.io/library/alpine', 'alpine:latest'],
    ['index.docker.io/library/alpine:edge', 'alpine:edge'],
    ['library/alpine', 'alpine:latest'],
    ['docker.io/owner/app', 'owner/app:latest'],
    ['owner/app', 'owner/app:latest'],
    ['ghcr.io/library/alpine', 'ghcr.io/library/alpine:latest'],
    ['localhost:5000/app', 'localhost:5000/app:latest'],
    ['localhost:5000/app:1', 'localhost:5000/app:1'],
    ['[::1]:5000/app', '[::1]:5000/app:latest'],
    ['a-b_c__d.e/f--g', 'a-b_c__d.e/f--g:latest'],
    ['library/owner/app', 'library/owner/app:latest'],
  ])('%s is %s', (text, name) => {
    expect(parseReference(text).name).toBe(name);
  });

  it('takes a digest', () => {
    const digest = `sha256:${'0123456789abcdef'.repeat(4)}`;
    expect(parseReference(`alpine@${digest}`)).toEqual({
      registry: 'docker.io',
      path: 'library/alpine',
      repository: 'alpine',
      tag: undefined,
      digest,
      name: `alpine@${digest}`,
    });
    expect(parseReference(`alpine:3@${digest}`)).toMatchObject({ tag: '3', digest });
  });

  it.each([
    '',
    ' alpine',
    'alpine ',
    'alpine:',
    ':latest',
    '/alpine',
    'alpine/',
    'a//b',
    '../etc',
    'a/../b',
    'alpine:.hidden',
    'a___b',
    'alpine@sha256:123',
    'alpine\n',
    'alpine:x\u0000',
    '-rf',
    `alpine:${'x'.repeat(129)}`,
    'x'.repeat(256),
  ])('refuses %j', (text) => {
    expect(() => parseReference(text)).toThrow(expect.objectContaining({ code: 'BAD_REFERENCE' }));
  });

  it('says that names are in lower case', () => {
    expect(() => parseReference('Alpine')).toThrow(
      expect.objectContaining({ code: 'BAD_REFERENCE' }),
    );
  });

  it('takes an id for no more than a possible name', () => {
    expect(tryReference(`sha256:${'a'.repeat(64)}`)?.repository).toBe('sha256');
    expect(tryReference('ABC')).toBeUndefined();
  });

  it('takes no time over a name made to take long', () => {
    const began = performance.now();
    expect(() => parseReference(`${'a-'.repeat(50_000)}!`)).toThrow();
    expect(() => parseReference(`${'a.'.repeat(50_000)}/`)).toThrow();
    expect(performance.now() - began).toBeLessThan(1000);
  });
});

describe('similarName', () => {
  const names = ['alpine:latest', 'busybox:latest', 'debian:12'];

  it.each([
    ['alpin', 'alpine'],
    ['apline', 'alpine'],
    ['buzybox', 'busybox'],
    ['debian', 'debian:12'],
    ['alpine:3', 'alpine:latest'],
    ['debian:11', 'debian:12'],
    ['nginx', undefined],
    ['', undefined],
  ])('of %j is %j', (wanted, expected) => {
    expect(similarName(wanted, names)).toBe(expected);
  });
});
