import { describe, expect, it } from 'vitest';
import { matches, matchesReference } from '../../../../src/image/store/filter.ts';
import type { StoredImage } from '../../../../src/image/stored-image.ts';

describe('patterns of names', () => {
  it.each([
    ['alpine:latest', 'alpine', true],
    ['alpine:latest', 'alpine:latest', true],
    ['alpine:latest', 'docker.io/library/alpine', true],
    ['alpine:latest', 'alpine:3', false],
    ['alpine:3.20', 'alpine', true],
    ['alpine:3.20', 'alpine:3.*', true],
    ['alpine:3.20', 'alp*', true],
    ['alpine:3.20', '*', true],
    ['alpine:3.20', 'alpin?', true],
    ['alpine:3.20', 'alpin[a-f]', true],
    ['alpine:3.20', 'alpin[^a-f]', false],
    ['alpine:3.20', 'alpinee', false],
    ['ghcr.io/owner/app:1', 'ghcr.io/*/app', true],
    ['ghcr.io/owner/app:1', '*', false],
    ['ghcr.io/owner/app:1', 'ghcr.io/*', false],
    ['ghcr.io/owner/app:1', 'ghcr\\.io/owner/app:?', true],
    ['a.b:1', 'a?b', true],
    ['aXb:1', 'a.b', false],
    ['', '*', false],
    [`x@sha256:${'0'.repeat(64)}`, 'x', true],
    [`${'a'.repeat(200)}:1`, `${'*a'.repeat(100)}b`, false],
  ])('%s, %s: %s', (name, pattern, expected) => expect(matchesReference(name, pattern)).toBe(expected));

  it.each(['[', '[]', '[a', '[z-a]', 'x'.repeat(2000)])('%s is none', (pattern) => {
    expect(() => matchesReference('alpine:latest', pattern)).toThrow('not a pattern');
  });
});

describe('filters', () => {
  const image = {
    name: 'a:1',
    created: '2024-01-02T00:00:00Z',
    config: { Labels: { kind: 'web', empty: '', 'a=b': 'c' } },
  } as unknown as StoredImage;
  it.each([
    [{}, true],
    [{ dangling: false }, true],
    [{ dangling: true }, false],
    [{ label: ['kind'] }, true],
    [{ label: ['kind=web', 'empty='] }, true],
    [{ label: ['kind=web', 'nope'] }, false],
    [{ label: ['constructor'] }, false],
    [{ 'label!': ['kind'] }, false],
    [{ 'label!': ['kind=db'] }, true],
    [{ until: new Date('2024-01-02T00:00:00Z') }, false],
    [{ until: new Date('2024-01-02T00:00:01Z') }, true],
    [{ before: { created: '2024-01-03T00:00:00Z' } as StoredImage }, true],
    [{ since: { created: '2024-01-03T00:00:00Z' } as StoredImage }, false],
    [{ reference: ['b', 'a'] }, true],
    [{ reference: ['b'] }, false],
  ])('%j: %s', (filters, expected) => expect(matches(image, filters)).toBe(expected));
});
