import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { native } from '../../../src/kernel/index.ts';
import { type Arena, cloneStep, layOut, Slot, type Step, type Struct } from '../../../src/launch/index.ts';

const stage = 'Test';
const call = (call: Step['call'], args: Step['args'], more: Partial<Step> = {}): Step => ({
  stage,
  call,
  args,
  why: 'to see it',
  ...more,
});

/** What native/plan.h lays down. */
const STEP = 128;
const slotCount = (arena: Arena) => arena.bytes.readInt32LE(12);
const stepAt = (arena: Arena, index: number) => 16 + 8 * slotCount(arena) + STEP * index;
const numberOf = (arena: Arena, index: number) => Number(arena.bytes.readBigInt64LE(stepAt(arena, index)));
const argOf = (arena: Arena, index: number, n: number) =>
  arena.bytes.readBigUInt64LE(stepAt(arena, index) + 8 + 8 * n);
const slotOf = (arena: Arena, index: number, n: number) =>
  arena.bytes.readInt32LE(stepAt(arena, index) + 56 + 4 * n);
const skipsOf = (arena: Arena, index: number) => [
  arena.bytes.readInt32LE(stepAt(arena, index) + 92),
  arena.bytes.readInt32LE(stepAt(arena, index) + 96),
];
/** Where an address of the arena lies in it. */
const offsetOf = (arena: Arena, address: bigint) => Number(address - native().address(arena.bytes));
const textAt = (arena: Arena, address: bigint) => {
  const start = offsetOf(arena, address);
  return arena.bytes.toString('utf8', start, arena.bytes.indexOf(0, start));
};

const compiler = spawnSync('cc', ['--version']).status === 0;

describe('the layout', () => {
  test.skipIf(!compiler)('is that of native/plan.h (skipped without a C compiler)', () => {
    const directory = mkdtempSync(join(tmpdir(), 'tsbox-arena-'));
    try {
      const header = join(import.meta.dirname, '..', '..', '..', 'native', 'plan.h');
      const fields = ['number', 'args', 'slots', 'save', 'tolerate', 'skip_error', 'skip_success'];
      const out = ['error', 'done', 'began', 'ended'];
      // The numbers are read from the assembler's text: no header of a C library is needed, and nothing has to be linked.
      const lines = [
        ...[...fields, ...out].map(
          (name) => `const long at_${name} = __builtin_offsetof(struct step, ${name});`,
        ),
        ...['failed', 'error', 'timed', 'slot_count', 'slots'].map(
          (name) => `const long arena_${name} = __builtin_offsetof(struct arena, ${name});`,
        ),
        'const long size_step = sizeof(struct step);',
      ];
      writeFileSync(join(directory, 'a.c'), `#include "${header}"\n${lines.join('\n')}\n`);
      const { status, stderr } = spawnSync('cc', ['-S', '-O0', '-o', 'a.s', 'a.c'], {
        cwd: directory,
        encoding: 'utf8',
      });
      expect(stderr).toBe('');
      expect(status).toBe(0);
      const assembly = readFileSync(join(directory, 'a.s'), 'utf8');
      const offsets = Object.fromEntries(
        [...assembly.matchAll(/^(\w+):\n\s+\.(?:quad|xword|zero)\s+(\d+)/gm)].map(([, name, value]) => [
          name,
          assembly.includes(`${name}:\n\t.zero`) ? 0 : Number(value),
        ]),
      );
      expect(offsets).toEqual({
        at_number: 0,
        at_args: 8,
        at_slots: 56,
        at_save: 80,
        at_tolerate: 84,
        at_skip_error: 92,
        at_skip_success: 96,
        at_error: 100,
        at_done: 104,
        at_began: 112,
        at_ended: 120,
        arena_failed: 0,
        arena_error: 4,
        arena_timed: 8,
        arena_slot_count: 12,
        arena_slots: 16,
        size_step: STEP,
      });
    } finally {
      rmSync(directory, { recursive: true, force: true });
    }
  });

  test('has a header, the slots, the steps and their data', () => {
    const fd = new Slot('fd');
    const open = call('openat', [-100, '/a', 0x80000, 0], { save: fd, tolerate: [2, 20, 13, 40] });
    const arena = layOut({ steps: [open, call('close', [fd])] }, { timed: true });
    expect(arena.bytes.readInt32LE(0)).toBe(-1);
    expect(arena.bytes.readInt32LE(8)).toBe(1);
    expect(slotCount(arena)).toBe(1);
    expect(arena.slot(fd)).toBe(-1);
    expect(arena.slot(new Slot('of another plan'))).toBe(-1);
    expect(numberOf(arena, 0)).toBe(process.arch === 'arm64' ? 56 : 257);
    expect(argOf(arena, 0, 0)).toBe(2n ** 64n - 100n);
    expect(textAt(arena, argOf(arena, 0, 1))).toBe('/a');
    expect(argOf(arena, 0, 2)).toBe(0x80000n);
    expect(arena.bytes.readInt32LE(stepAt(arena, 0) + 80)).toBe(0);
    const tolerated = [0, 1, 2, 3].map((n) => arena.bytes.readInt16LE(stepAt(arena, 0) + 84 + 2 * n));
    expect(tolerated).toEqual([2, 20, 13, 40]);
    expect(slotOf(arena, 1, 0)).toBe(0);
    expect(slotOf(arena, 1, 1)).toBe(-1);
    expect(arena.bytes.readInt32LE(stepAt(arena, 1) + 80)).toBe(-1);
    expect(numberOf(arena, 2)).toBe(-4);
  });

  test('takes numbers of all 64 bits', () => {
    const values = [0xffffffff, 2 ** 53 - 1, -1, -(2 ** 40), 2n ** 64n - 2n, 0x300020100];
    const arena = layOut({ steps: [call('close', values)] });
    expect(values.map((_, n) => argOf(arena, 0, n))).toEqual([
      0xffffffffn,
      2n ** 53n - 1n,
      2n ** 64n - 1n,
      2n ** 64n - 2n ** 40n,
      2n ** 64n - 2n,
      0x300020100n,
    ]);
  });

  test('keeps equal strings once', () => {
    const arena = layOut({
      steps: [call('chdir', ['/one']), call('chdir', ['/two']), call('chroot', ['/one'])],
    });
    expect(argOf(arena, 2, 0)).toBe(argOf(arena, 0, 0));
    expect(argOf(arena, 1, 0)).not.toBe(argOf(arena, 0, 0));
  });

  test('makes arrays of strings that end with NULL', () => {
    const arena = layOut({ steps: [call('execve', ['/x', { strings: ['a', 'é', 'a'] }, { strings: [] }])] });
    const array = offsetOf(arena, argOf(arena, 0, 1));
    const pointers = [0, 1, 2, 3].map((n) => arena.bytes.readBigUInt64LE(array + 8 * n));
    expect(pointers.slice(0, 3).map((pointer) => textAt(arena, pointer))).toEqual(['a', 'é', 'a']);
    expect(pointers[3]).toBe(0n);
    expect(arena.bytes.readBigUInt64LE(offsetOf(arena, argOf(arena, 0, 2)))).toBe(0n);
  });

  test('points structs to what they point to, and aligns everything on 16 bytes', () => {
    const inner: Struct = { bytes: Buffer.from('inner'), text: 'inner' };
    const slot = new Slot('written');
    const outer: Struct = {
      bytes: Buffer.alloc(32, 0xee),
      text: 'outer',
      pointers: [
        { offset: 8, to: inner },
        { offset: 16, to: { slotAddress: slot } },
        { offset: 24, to: { stack: 4096 } },
      ],
    };
    const arena = layOut({ steps: [call('bpf', [0, outer, 'odd'])] });
    const at = offsetOf(arena, argOf(arena, 0, 1));
    const [a, b, c] = [8, 16, 24].map((offset) => arena.bytes.readBigUInt64LE(at + offset));
    expect(arena.bytes.readBigUInt64LE(at)).toBe(0xeeeeeeeeeeeeeeeen);
    expect(arena.bytes.toString('utf8', offsetOf(arena, a as bigint), offsetOf(arena, a as bigint) + 5)).toBe(
      'inner',
    );
    expect(offsetOf(arena, b as bigint)).toBe(16);
    for (const pointer of [argOf(arena, 0, 1), a, c, argOf(arena, 0, 2)])
      expect((pointer as bigint) % 16n).toBe(0n);
    // Where the kernel writes four bytes of a slot, the other four must not be those of -1.
    expect(arena.slot(slot)).toBe(0);
    expect(offsetOf(arena, c as bigint) + 4096).toBeLessThanOrEqual(arena.bytes.length);
  });

  test('the same struct object is the same memory', () => {
    const struct: Struct = { bytes: Buffer.alloc(8), text: 'shared' };
    const twin: Struct = { bytes: Buffer.alloc(8), text: 'shared' };
    const arena = layOut({ steps: [call('pipe2', [struct, 0]), call('pipe2', [struct, 0, twin])] });
    expect(argOf(arena, 1, 0)).toBe(argOf(arena, 0, 0));
    expect(argOf(arena, 1, 2)).not.toBe(argOf(arena, 0, 0));
  });

  test('counts steps to skip in what they became: a struct with a descriptor in it takes one more', () => {
    const fd = new Slot('fd');
    const withSlot = (): Struct => ({
      bytes: Buffer.alloc(8),
      text: '',
      slots: [{ offset: 4, slot: fd, width: 4 }],
    });
    const arena = layOut({
      steps: [
        call('openat', [-100, '/', 0, 0], { save: fd, skipOnError: 2, skipOnSuccess: 1 }),
        call('bpf', [0, withSlot(), 8]),
        call('bpf', [1, withSlot(), 8]),
        call('close', [fd], { skipOnError: 7 }),
      ],
    });
    // open, poke, bpf, poke, bpf, close, end
    expect([0, 1, 2, 3, 4, 5, 6].map((n) => Math.min(0, numberOf(arena, n)))).toEqual([
      0, -2, 0, -2, 0, 0, -4,
    ]);
    expect(skipsOf(arena, 0)).toEqual([4, 2]);
    // There is nothing after the last step that could be left out.
    expect(skipsOf(arena, 5)).toEqual([0, 0]);
    expect(argOf(arena, 1, 2)).toBe(4n);
    expect(slotOf(arena, 1, 1)).toBe(0);
    expect(argOf(arena, 1, 0)).toBe(argOf(arena, 2, 1) + 4n);
  });

  test('puts the steps of a clone, and of its clones, behind the list they belong to', () => {
    const clone = (name: string, child: Step[]) =>
      cloneStep({ stage, why: name, flags: ['CLONE_VM'], exitSignal: 17, pid: new Slot(name), child });
    const grandchild = call('getpid', []);
    const arena = layOut({
      steps: [clone('child', [clone('grandchild', [grandchild]), call('setsid', [])])],
    });
    // clone, end, [clone, setsid, end], [getpid, end]
    expect([0, 1, 2, 4, 6].map((n) => numberOf(arena, n))).toEqual([-1, -4, -1, -4, -4]);
    expect(argOf(arena, 0, 3)).toBe(2n);
    expect(argOf(arena, 2, 3)).toBe(5n);
    expect(arena.steps[5]).toBe(grandchild);
  });

  test('has no limit of slots: a machine with many processors has many masked paths', () => {
    const slots = Array.from({ length: 1000 }, (_, n) => new Slot(`slot${n}`));
    const arena = layOut({ steps: slots.map((save) => call('getpid', [], { save })) });
    native().runPlan(arena.bytes, 0);
    expect(slots.map((slot) => arena.slot(slot))).toEqual(slots.map(() => process.pid));
  });

  test('refuses a NUL character, behind which the kernel would see nothing', () => {
    expect(() => layOut({ steps: [call('chdir', ['/etc\0/harmless'])] })).toThrow(
      'a NUL character in "/etc\\u0000/harmless"',
    );
  });
});

test('struct clone_args of clone3(2)', () => {
  const [pid, pidfd, cgroup] = [new Slot('pid'), new Slot('pidfd'), new Slot('cgroup')];
  const step = cloneStep({
    stage,
    why: '',
    flags: ['CLONE_VM', 'CLONE_PIDFD', 'CLONE_INTO_CGROUP'],
    exitSignal: 17,
    pid,
    pidfd,
    cgroup,
    child: [],
  });
  const arena = layOut({ steps: [step] });
  // The cgroup's descriptor is completed first: poke, clone, end.
  const at = offsetOf(arena, argOf(arena, 1, 0));
  const words = Array.from({ length: 11 }, (_, n) => arena.bytes.readBigUInt64LE(at + 8 * n));
  expect(argOf(arena, 1, 1)).toBe(88n);
  expect(words[0]).toBe(0x200001100n);
  // The pidfd's is the first slot, the cgroup's the second.
  expect(offsetOf(arena, words[1] as bigint)).toBe(16);
  expect(slotOf(arena, 0, 1)).toBe(1);
  expect(words[4]).toBe(17n);
  expect(words[6]).toBe(16384n);
  expect((words[5] as bigint) % 16n).toBe(0n);
  expect(offsetOf(arena, argOf(arena, 0, 0)) - at).toBe(80);
  expect(argOf(arena, 0, 2)).toBe(8n);
});
