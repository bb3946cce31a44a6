import { describe, expect, test } from 'vitest';
import { planContainer } from '../../../src/runtime/index.ts';
import { Listing, sampleInput } from './sample.ts';

const overlay = (layers: string[], kernel: [number, number], keep = false, directory = '/c') =>
  sampleInput((input) => {
    input.overlay = { layers, directory, keep };
    input.kernel = { major: kernel[0], minor: kernel[1] };
  });
const configured = (input: ReturnType<typeof overlay>) =>
  new Listing(input).lines.filter((line) => /fsconfig\(overlay_fs|mount\(overlay|rootfs = /.test(line));
/** Twelve layers of 71 characters, as the store has them. */
const many = Array.from({ length: 12 }, (_, n) => `/l/${String(n).padStart(68, '0')}`);

describe('layers', () => {
  test('are named one by one, the uppermost first, since Linux 6.5', () => {
    expect(configured(overlay(['/l/1', '/l/2:3', '/l/4'], [6, 5]))).toEqual([
      'fsconfig(overlay_fs, FSCONFIG_SET_STRING, source, overlay, 0)',
      'fsconfig(overlay_fs, FSCONFIG_SET_STRING, lowerdir+, /l/4, 0)',
      'fsconfig(overlay_fs, FSCONFIG_SET_STRING, lowerdir+, /l/2:3, 0)',
      'fsconfig(overlay_fs, FSCONFIG_SET_STRING, lowerdir+, /l/1, 0)',
      'fsconfig(overlay_fs, FSCONFIG_SET_STRING, upperdir, /c/upper, 0)',
      'fsconfig(overlay_fs, FSCONFIG_SET_STRING, workdir, /c/work, 0)',
      'fsconfig(overlay_fs, FSCONFIG_SET_FLAG, volatile, NULL, 0)',
      'fsconfig(overlay_fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0)',
      'rootfs = fsmount(overlay_fs, FSMOUNT_CLOEXEC, 0)',
    ]);
  });

  test('are one string before that, with colons escaped', () => {
    const lines = configured(overlay(['/l/1', '/l/2:3', '/l/4'], [6, 4], true));
    expect(lines[1]).toBe('fsconfig(overlay_fs, FSCONFIG_SET_STRING, lowerdir, /l/4:/l/2\\:3:/l/1, 0)');
    expect(lines.join()).not.toContain('volatile');
  });

  test('go through mount(2) where that string is longer than fsconfig takes', () => {
    const lines = configured(overlay(many, [5, 14]));
    expect(lines).toEqual([
      `mount(overlay, /c, overlay, 0, lowerdir=${[...many].reverse().join(':')},upperdir=/c/upper,workdir=/c/work,volatile)`,
      'rootfs = open_tree(AT_FDCWD, /c, OPEN_TREE_CLONE|OPEN_TREE_CLOEXEC)',
    ]);
  });

  test('with a colon, a comma or a backslash in their path are escaped once', () => {
    const [line] = configured(overlay([...many, '/a:b', '/c,d', '/e\\f'], [6, 1], false, '/x,y'));
    expect(line).toContain('lowerdir=/e\\\\f:/c\\,d:/a\\:b:/l/');
    expect(line).toContain(',upperdir=/x\\,y/upper,workdir=/x\\,y/work,volatile)');
  });

  test('are too many where they do not fit on a page', () => {
    const layers = Array.from({ length: 60 }, (_, n) => `/l/${String(n).padStart(68, '0')}`);
    expect(() => planContainer(overlay(layers, [6, 4]))).toThrow(
      "an image of 60 layers is too much for this kernel's overlayfs",
    );
    expect(() => planContainer(overlay(layers, [6, 5]))).not.toThrow();
  });
});

test('without layers a directory is used as it is', () => {
  const input = sampleInput((each) => {
    each.overlay = undefined;
    each.spec.root.path = '/bundle/rootfs';
  });
  expect(configured(input)).toEqual([
    'bundle_rootfs = openat2(AT_FDCWD, /bundle/rootfs, {flags=O_PATH|O_DIRECTORY|O_CLOEXEC, resolve=RESOLVE_NO_SYMLINKS}, 24)',
    'rootfs = open_tree(bundle_rootfs, , OPEN_TREE_CLONE|OPEN_TREE_CLOEXEC|AT_EMPTY_PATH|AT_RECURSIVE)',
  ]);
});
