import { describe, expect, it } from 'vitest';
import { parseChallenges } from '../../../../src/image/registry/auth/challenge.ts';
import { mergeScopes } from '../../../../src/image/registry/auth/scopes.ts';

describe('parseChallenges', () => {
  it.each<[string, [string, Record<string, string>][]]>([
    [
      'Bearer realm="https://auth.docker.io/token",service="registry.docker.io",scope="repository:library/alpine:pull,push"',
      [
        [
          'bearer',
          {
            realm: 'https://auth.docker.io/token',
            service: 'registry.docker.io',
            scope: 'repository:library/alpine:pull,push',
          },
        ],
      ],
    ],
    ['Basic realm="Registry Realm"', [['basic', { realm: 'Registry Realm' }]]],
    ['BASIC Realm=x', [['basic', { realm: 'x' }]]],
    ['Basic', [['basic', {}]]],
    [
      'Negotiate, Basic realm="a, b=c", Bearer realm="d" , service=e',
      [
        ['negotiate', {}],
        ['basic', { realm: 'a, b=c' }],
        ['bearer', { realm: 'd', service: 'e' }],
      ],
    ],
    [
      'Negotiate oWw0aGVsbG8=, Basic realm=x',
      [
        ['negotiate', {}],
        ['basic', { realm: 'x' }],
      ],
    ],
    ['Bearer realm="a\\"b\\\\c"', [['bearer', { realm: 'a"b\\c' }]]],
    ['Bearer realm = "a" , service= b', [['bearer', { realm: 'a', service: 'b' }]]],
    ['Bearer realm="first",realm="second"', [['bearer', { realm: 'first' }]]],
    ['Bearer realm="never closed', [['bearer', {}]]],
    ['Bearer __proto__="x"', [['bearer', { ['__proto__']: 'x' }]]],
    ['', []],
    [',,;', []],
    ['"quoted"', []],
  ])('%s', (header, expected) => {
    const found = parseChallenges(header).map(({ scheme, parameters }) => [
      scheme,
      Object.entries(parameters),
    ]);
    expect(found).toEqual(expected.map(([scheme, parameters]) => [scheme, Object.entries(parameters)]));
  });
});

describe('mergeScopes', () => {
  it.each([
    [['repository:a/b:pull'], undefined, ['repository:a/b:pull']],
    [['repository:a/b:pull'], 'repository:a/b:pull,push', ['repository:a/b:pull,push']],
    [
      ['repository:a/b:pull,push', 'repository:c:pull'],
      'repository:c:pull',
      ['repository:a/b:pull,push', 'repository:c:pull'],
    ],
    [['repository:a/b:pull'], 'registry:catalog:*  aws', ['repository:a/b:pull', 'registry:catalog:*']],
    [['repository:host:5000/b:pull'], 'repository:host:5000/b:push', ['repository:host:5000/b:pull,push']],
    [[], undefined, []],
  ])('%j and %j', (own, asked, merged) => {
    expect(mergeScopes(own, asked)).toEqual(merged);
  });
});
