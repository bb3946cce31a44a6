import { describe, expect, it } from 'vitest';
import { type LayerView, planAttributes } from '../../../../src/image/attributes/plan.ts';

/**
 * A layer in words: `dir/` is described, `(dir)` implied, `dir!` described and opaque, `(dir)!` implied and opaque, `-name` a whiteout, and any
 * other name a file.
 */
function layer(...words: string[]): LayerView {
  const has = new Map<string, ReturnType<LayerView['look']>>();
  const implied = new Set<string>();
  for (const word of words) {
    const path = word.replace(/[()!]|^-|\/$/g, '');
    if (word.startsWith('(')) implied.add(path);
    if (word.endsWith('!')) has.set(path, 'opaque directory');
    else has.set(path, /[)/]$/.test(word) ? 'directory' : 'other');
  }
  return { implied, look: (path) => has.get(path) ?? 'nothing' };
}

/** The plan for layers, the lowest first. */
const plan = (...layers: LayerView[]) => [...planAttributes(layers)];

describe('the attributes layer', () => {
  it('has what an upper layer does not describe and a lower one does, and all above it', () => {
    expect(
      plan(layer('var/', 'var/lib/', 'var/lib/app/', 'etc/'), layer('(var)', '(var/lib)', '(var/lib/app)')),
    ).toEqual([
      ['', 1],
      ['var', 0],
      ['var/lib', 0],
      ['var/lib/app', 0],
    ]);
  });

  it('is empty where nothing is implied, or nothing lies below it', () => {
    expect(plan(layer('tmp/'), layer('tmp/', 'tmp/x'))).toEqual([]);
    expect(plan(layer('tmp/'), layer('(opt)', '(opt/app)', 'opt/app/file'))).toEqual([]);
    expect(plan(layer('(tmp)'), layer('(tmp)'))).toEqual([]);
    expect(plan(layer('(tmp)', 'tmp/x'))).toEqual([]);
    expect(plan()).toEqual([]);
  });

  it('has a described directory too where it is on the way, as the highest layer shows it', () => {
    expect(plan(layer('a/', 'a/b/'), layer('a/', '(a/b)'), layer('a/', 'a/c'))).toEqual([
      ['', 2],
      ['a', 2],
      ['a/b', 0],
    ]);
  });

  it('leaves alone what a higher layer describes', () => {
    expect(plan(layer('tmp/'), layer('(tmp)'), layer('tmp/'))).toEqual([]);
    expect(plan(layer('tmp/'), layer('tmp/'), layer('(tmp)'))).toEqual([
      ['', 2],
      ['tmp', 1],
    ]);
  });

  it('looks through all layers that imply it', () => {
    expect(plan(layer('tmp/'), layer('(tmp)'), layer('etc/'), layer('(tmp)'), layer('(tmp)'))).toEqual([
      ['', 4],
      ['tmp', 0],
    ]);
  });

  it('has nothing that a higher layer has taken away or replaced', () => {
    expect(plan(layer('a/', 'a/b/'), layer('(a)', '(a/b)'), layer('-a'))).toEqual([]);
    expect(plan(layer('a/'), layer('(a)'), layer('a'))).toEqual([]);
    expect(plan(layer('a/', 'a/b/'), layer('(a)', '(a/b)'), layer('a!'))).toEqual([]);
    expect(plan(layer('a/', 'a/b/'), layer('a/', '(a/b)'), layer('a/', '-a/b'))).toEqual([]);
  });

  it('takes nothing from a directory that is gone or was something else in between', () => {
    expect(plan(layer('a/'), layer('-a'), layer('(a)'))).toEqual([]);
    expect(plan(layer('a/'), layer('a'), layer('(a)'))).toEqual([]);
    expect(plan(layer('a'), layer('(a)'))).toEqual([]);
    expect(plan(layer('a/', 'a/b/'), layer('a!'), layer('(a)', '(a/b)'))).toEqual([
      ['', 2],
      ['a', 1],
    ]);
    expect(plan(layer('a/', 'a/b/'), layer('-a'), layer('(a)', '(a/b)'))).toEqual([]);
  });

  it('keeps the attributes of a directory whose content an opaque mark takes away', () => {
    expect(plan(layer('a/', 'a/b/'), layer('(a)!', '(a/b)'))).toEqual([
      ['', 1],
      ['a', 0],
    ]);
    expect(plan(layer('a/'), layer('(a)!'), layer('(a)!'), layer('(a)'))).toEqual([
      ['', 3],
      ['a', 0],
    ]);
    expect(plan(layer('a/'), layer('a!'))).toEqual([]);
  });

  it('is not for a directory whose layer also whites it out: it is a new one, and described', () => {
    // applyLayer leaves such a directory out of the implied ones.
    expect(plan(layer('a/', 'a/b/'), layer('a!', '(a/b)'))).toEqual([]);
  });
});
