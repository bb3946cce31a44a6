import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  closeSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Errno, lockFile, O, openat2, RESOLVE, removeTree, statAt } from '../../../src/kernel/index.ts';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'tsbox-files-'));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

describe('lockFile', () => {
  it('excludes who asks again, in the same process too, until it is released', () => {
    const path = join(directory, 'lock');
    const first = lockFile(path, 'exclusive');
    expect(lockFile(path, 'exclusive', { wait: false })).toBeUndefined();
    expect(lockFile(path, 'shared', { wait: false })).toBeUndefined();
    // flock(1) is not ours.
    expect(spawnSync('flock', ['-n', path, 'true']).status).toBe(1);
    first.release();
    first.release();
    expect(spawnSync('flock', ['-n', path, 'true']).status).toBe(0);
    const [one, two] = [lockFile(path, 'shared', { wait: false }), lockFile(path, 'shared', { wait: false })];
    expect([one, two]).not.toContain(undefined);
    one?.release();
    two?.release();
  });

  it('locks a directory, and leaves a descriptor open that was given to it', () => {
    const lock = lockFile(directory, 'exclusive');
    expect(lockFile(directory, 'exclusive', { wait: false })).toBeUndefined();
    lock.release();
    const fd = openSync(directory, 'r');
    lockFile(fd, 'exclusive').release();
    closeSync(fd);
    expect(() => closeSync(lock.fd)).toThrow('EBADF');
  });

  it('ends with the process that holds it, however that ends', async () => {
    const path = join(directory, 'lock');
    const holder = spawn('sh', ['-c', 'exec 9>"$0"; flock 9; echo held; read -r never', path], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    await once(holder.stdout, 'data');
    expect(isHeld(path)).toBe(true);
    holder.kill('SIGKILL');
    await once(holder, 'exit');
    expect(isHeld(path)).toBe(false);
  });
});

function isHeld(path: string): boolean {
  const lock = lockFile(path, 'exclusive', { wait: false });
  lock?.release();
  return lock === undefined;
}

describe('openat2', () => {
  it('keeps a path inside, as chroot would', () => {
    mkdirSync(join(directory, 'root/etc'), { recursive: true });
    writeFileSync(join(directory, 'outside'), '');
    symlinkSync('/etc', join(directory, 'root/absolute'));
    symlinkSync('../../outside', join(directory, 'root/climbing'));
    const root = openSync(join(directory, 'root'), 'r');
    const open = (path: string) => {
      const fd = openat2(root, path, O.O_PATH, RESOLVE.RESOLVE_IN_ROOT, { allow: [Errno.ENOENT] });
      if (fd >= 0) closeSync(fd);
      return fd;
    };
    try {
      for (const path of ['etc', 'absolute', '../../etc', '/etc']) expect(open(path)).toBeGreaterThan(0);
      for (const path of ['climbing', '../outside', join(directory, 'outside')])
        expect(open(path)).toBe(-Errno.ENOENT);
      expect(statAt(root, 'absolute')?.mode).toBe(0o120777);
      expect(statAt(root, 'none')).toBeUndefined();
    } finally {
      closeSync(root);
    }
  });
});

describe('removeTree', () => {
  it('removes files, links, names that are not UTF-8, and what nobody may read', () => {
    const tree = join(directory, 'tree');
    mkdirSync(join(tree, 'a/b/c'), { recursive: true });
    writeFileSync(Buffer.from(`${tree}/caf\xe9`, 'latin1'), '');
    mkdirSync(Buffer.from(`${tree}/\xff\xfe`, 'latin1'));
    writeFileSync(Buffer.from(`${tree}/\xff\xfe/x`, 'latin1'), '');
    writeFileSync(join(directory, 'outside'), '');
    symlinkSync(directory, join(tree, 'link'));
    chmodSync(tree, 0o700);
    removeTree(tree);
    expect(readdirSync(directory)).toEqual(['outside']);
    removeTree(tree);
    removeTree(join(directory, 'outside'));
    expect(existsSync(join(directory, 'outside'))).toBe(false);
  });

  it('removes a link, and not what it leads to', () => {
    mkdirSync(join(directory, 'kept'));
    symlinkSync('kept', join(directory, 'link'));
    removeTree(join(directory, 'link'));
    expect(readdirSync(directory)).toEqual(['kept']);
  });

  it('removes a tree that is deeper than any path, and one that is wide', () => {
    const script = `mkdir tree; cd -P tree; i=0; while [ $i -lt 60 ]; do p=$(printf 'deeper/%.0s' $(seq 20)); mkdir -p $p; cd -P $p; i=$((i+1)); done`;
    expect(spawnSync('bash', ['-c', script], { cwd: directory }).status).toBe(0);
    for (let index = 0; index < 3000; index++) writeFileSync(join(directory, 'tree', `file-${index}`), '');
    removeTree(join(directory, 'tree'));
    expect(readdirSync(directory)).toEqual([]);
  });

  const isRoot = process.geteuid?.() === 0;
  it.skipIf(!isRoot)(
    `does not go into what is mounted inside${isRoot ? '' : ' (skipped: needs root)'}`,
    () => {
      mkdirSync(join(directory, 'tree/mounted'), { recursive: true });
      mkdirSync(join(directory, 'kept'));
      writeFileSync(join(directory, 'kept/file'), '');
      execFileSync('mount', ['--bind', join(directory, 'kept'), join(directory, 'tree/mounted')]);
      try {
        expect(() => removeTree(join(directory, 'tree'))).toThrow(expect.objectContaining({ code: 'EXDEV' }));
        expect(readdirSync(join(directory, 'kept'))).toEqual(['file']);
      } finally {
        execFileSync('umount', [join(directory, 'tree/mounted')]);
      }
    },
  );
});
