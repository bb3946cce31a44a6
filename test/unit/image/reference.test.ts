import { describe, expect, it } from 'vitest';
import { parseReference, tryReference } from '../../../src/image/reference.ts';
import { similarName } from '../../../src/image/store/similar.ts';
import { Random } from '../../fixtures/random.ts';

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
    ['a-b_c__d/e.f--g', 'a-b_c__d/e.f--g:latest'],
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

  it.each([
    ['', 'it is empty', ''],
    ['a'.repeat(64), 'it looks like the id of one', `sha256:${'a'.repeat(64)}`],
    ['https://ghcr.io/owner/app', 'it is a URL', 'ghcr.io/owner/app'],
    ['al pine', 'it has " " in it', ''],
    ['Alpine', 'the name has upper-case letters', 'names are in lower case: alpine'],
    ['ghcr.io/Owner/app:1', 'the path component `Owner` has upper-case', 'ghcr.io/owner/app:1'],
    ['ghcr.io//app', 'the path has an empty component', ''],
    ['alpine/', 'the path has an empty component', ''],
    ['a___b', 'the name has separators beside each other', 'only between them'],
    ['owner/-app', 'the path component `-app` begins or ends with a separator', 'only between them'],
    ['al+pine', 'the name has "+" in it', ''],
    [':latest', 'the name is missing', ''],
    ['x'.repeat(256), 'the name is too long: 256 characters', ''],
    ['my_host.example/app', 'the host `my_host.example` is no host name', ''],
    ['My_Host/app', 'the host `My_Host` is no host name', 'my_host/app'],
    ['[:::]:5000/app', 'the host `[:::]` is no host name or address', ''],
    ['localhost:http/app', 'the port `http` is no number', ''],
    ['localhost:99999/app', 'the port `99999` is no number from 0 to 65535', ''],
    ['alpine:', 'the tag is empty', 'alpine'],
    ['alpine:.hidden', 'the tag begins with `.`', ''],
    ['alpine:1:2', 'the tag has ":" in it', ''],
    [`alpine:${'x'.repeat(129)}`, 'the tag is too long: 129 characters', ''],
    ['alpine@latest', 'the digest names no algorithm', 'sha256:'],
    ['alpine@md5:abc', 'the digest is made with `md5`', ''],
    ['alpine@sha256:123', 'the digest has 3 digits in place of 64', ''],
    [`alpine@sha256:${'A'.repeat(64)}`, 'the digest has something else than digits', 'lower case'],
  ])('says what is wrong with %j', (text, wrong, advice) => {
    expect(() => parseReference(text)).toThrow(
      expect.objectContaining({
        code: 'BAD_REFERENCE',
        message: expect.stringContaining(wrong),
        advice: expect.stringContaining(advice),
      }),
    );
  });

  it.each([
    ['alpine', 'docker.io', 'library/alpine'],
    ['owner/app', 'docker.io', 'owner/app'],
    ['index.docker.io/alpine', 'docker.io', 'library/alpine'],
    ['localhost/app', 'localhost', 'app'],
    ['localhost5000/app', 'docker.io', 'localhost5000/app'],
    ['host:5000/app', 'host:5000', 'app'],
    ['ghcr.io/owner/app', 'ghcr.io', 'owner/app'],
    ['Host/app', 'Host', 'app'],
    ['[::1]:5000/a/b/c', '[::1]:5000', 'a/b/c'],
    ['library/owner/app', 'docker.io', 'library/owner/app'],
  ])('%s is in %s', (text, registry, path) => {
    expect(parseReference(text)).toMatchObject({ registry, path });
  });

  it('finds in every valid reference what it was made of', () => {
    const random = new Random(3);
    for (let round = 0; round < 2000; round++) {
      const { text, registry, path, tag, digest } = makeReference(random);
      const reference = parseReference(text);
      expect({ text, ...reference }).toMatchObject({
        text,
        registry: registry ?? 'docker.io',
        path: registry === undefined && !path.includes('/') ? `library/${path}` : path,
        tag: tag ?? (digest === undefined ? 'latest' : undefined),
        digest,
      });
      // Its name in the store means the same.
      expect(parseReference(reference.name).name).toBe(reference.name);
    }
  });

  it('names the part in which something is wrong', () => {
    const random = new Random(4);
    for (let round = 0; round < 2000; round++) {
      const parts = makeReference(random);
      const part = random.pick(['host', 'path', 'tag', 'digest'] as const);
      const character = random.pick(['~', '!', '$', '{', 'é', ',']);
      const spoil = (text: string) => {
        const at = random.below(text.length + 1);
        return text.slice(0, at) + character + text.slice(at);
      };
      const text = joinReference({
        registry: part === 'host' ? spoil('host.example') : parts.registry,
        path: part === 'path' ? spoil(parts.path) : parts.path,
        tag: part === 'tag' ? spoil(parts.tag ?? 'latest') : parts.tag,
        digest: part === 'digest' ? spoil(parts.digest ?? `sha256:${'0'.repeat(64)}`) : parts.digest,
      });
      const word = {
        host: /the host `/,
        path: /the (name|path component `)/,
        tag: /the tag/,
        digest: /the digest/,
      };
      expect(() => parseReference(text), text).toThrow(word[part]);
    }
  });

  it('takes any text for a reference or says what is wrong', () => {
    const random = new Random(5);
    const pieces = [
      'a',
      'B',
      '0',
      '.',
      '_',
      '-',
      ':',
      '/',
      '@',
      'sha256:',
      'localhost',
      '[::1]',
      '5000',
      ' ',
      'f'.repeat(64),
    ];
    let valid = 0;
    for (let round = 0; round < 5000; round++) {
      const text = Array.from({ length: 1 + random.below(8) }, () => random.pick(pieces)).join('');
      const reference = tryReference(text);
      if (reference === undefined || /^[0-9a-f]{64}$/.test(text)) {
        expect(() => parseReference(text), text).toThrow(
          /is not a name for an image: (the .*(is|has|names|begins)|it )/,
        );
      } else {
        valid++;
        expect(parseReference(reference.name).name).toBe(reference.name);
      }
    }
    expect(valid).toBeGreaterThan(300);
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

interface Parts {
  registry: string | undefined;
  path: string;
  tag: string | undefined;
  digest: string | undefined;
}

/** By the grammar of github.com/distribution/reference, reference.go. */
function makeReference(random: Random): Parts & { text: string } {
  const word = (letters: string, most: number) =>
    Array.from({ length: 1 + random.below(most) }, () => random.pick([...letters])).join('');
  const maybe = <T>(make: () => T): T | undefined => (random.below(2) === 0 ? make() : undefined);
  const several = (most: number, make: () => string) => Array.from({ length: 1 + random.below(most) }, make);
  const lower = 'abcxyz019';
  const component = () => {
    let text = word(lower, 4);
    for (let more = random.below(3); more > 0; more--)
      text += random.pick(['.', '_', '__', '-', '--', '---']) + word(lower, 4);
    return text;
  };
  const label = () => `${word('abcXYZ', 3)}${maybe(() => `-${word('abc19', 3)}`) ?? ''}`;
  const host = () =>
    random.pick([
      'localhost',
      '[2001:db8::1]',
      '192.0.2.7',
      `${label()}.${several(2, label).join('.')}`,
      'UPPER',
    ]) + (maybe(() => `:${1 + random.below(65535)}`) ?? '');
  const parts = {
    registry: maybe(host),
    path: several(3, component).join('/'),
    tag: maybe(() => word('aZ9_', 1) + (maybe(() => word('aZ9_.-', 20)) ?? '')),
    digest: maybe(
      () => `sha256:${Array.from({ length: 64 }, () => random.pick([...'0123456789abcdef'])).join('')}`,
    ),
  };
  // What would be read as a registry: a dot in what has none before it.
  const first = parts.path.split('/')[0] as string;
  if (parts.registry === undefined && parts.path.includes('/') && first.includes('.'))
    return makeReference(random);
  return { ...parts, text: joinReference(parts) };
}

function joinReference({ registry, path, tag, digest }: Parts): string {
  return [registry && `${registry}/`, path, tag && `:${tag}`, digest && `@${digest}`].join('');
}
