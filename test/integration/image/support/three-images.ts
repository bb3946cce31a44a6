import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect } from 'vitest';
import { expectNothingLeft, makePlace, type Place } from '../../../fixtures/leftovers.ts';
import { archive, file } from '../../../fixtures/tar.ts';
import { box, tsbox } from '../../../fixtures/tsbox.ts';
import { busyboxTar, named, RawStore } from './layout.ts';

/** A store with three images: `base`, one on top of it, and one without a name; and what the commands say of them. */
export interface ThreeImages {
  place: Place;
  raw: RawStore;
  ids: { old: string; base: string; web: string };
  /** What a command that should succeed prints. */
  out(...args: string[]): string;
  /** The first line of the error of one that should not. */
  fails(...args: string[]): string | undefined;
}

export const WEB = 'localhost:5000/team/web:1.0';

/** As Docker shows it. */
export const short = (id: string) => id.slice(7, 19);

export function useThreeImages(): ThreeImages {
  const three = {
    out(...args) {
      const { status, stdout, stderr } = tsbox(three.place, args);
      if (status !== 0 || stderr !== '') throw new Error(`tsbox ${args.join(' ')}: ${status} ${stderr}`);
      return stdout;
    },
    fails(...args) {
      const { status, stdout, stderr } = tsbox(three.place, args);
      expect([status, stdout]).toEqual([125, '']);
      return stderr.split('\n')[0];
    },
  } as ThreeImages;
  beforeAll(() => {
    three.place = makePlace();
    three.raw = new RawStore(three.place.root);
    three.ids = make(three.raw);
    // Unpacks them.
    for (const name of ['base', WEB]) box(three.place, name, 'true');
  });
  afterAll(async () => {
    await expectNothingLeft(three.place);
    three.place.remove();
  });
  return three;
}

function make(raw: RawStore): ThreeImages['ids'] {
  const image = (layers: Buffer[], created: string, Labels: object, history: object[] = []) =>
    raw.image(layers, { Cmd: ['true'], Env: ['PATH=/bin'], Labels }, { created, history });
  const base = busyboxTar();
  const history = [
    {
      created: '2020-01-01T00:00:00Z',
      created_by: 'ADD file:0123456789 in /  with some more words',
      comment: 'base',
    },
    { created: '2020-01-02T00:00:00Z', created_by: 'ENV A=1', empty_layer: true },
    { created: '2020-01-03T00:00:00Z', created_by: 'COPY\tx /x' },
  ];
  const layer = archive(file('x', 'x'.repeat(1500)));
  const lines = {
    old: image([archive(file('old', 'old'))], '2019-01-01T00:00:00Z', {}),
    base: image([base], '2020-01-01T00:00:00Z', { kind: 'base' }),
    web: image([base, layer], '2020-01-03T00:00:00Z', { kind: 'web', 'a.b': 'c' }, history),
  };
  raw.index(lines.old, named(lines.base, 'base'), named(lines.web, WEB));
  const id = ({ digest }: { digest: string }): string =>
    JSON.parse(readFileSync(join(raw.images, 'blobs/sha256', digest.slice(7)), 'utf8')).config.digest;
  return { old: id(lines.old), base: id(lines.base), web: id(lines.web) };
}
