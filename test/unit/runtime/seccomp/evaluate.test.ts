import { expect, test } from 'vitest';
import { compileDefault } from '../../../../src/engine/seccomp/index.ts';
import { syscallNumber } from '../../../../src/kernel/index.ts';
import { passesFilter } from '../../../../src/runtime/seccomp/evaluate.ts';
import { compileSeccomp, type Machine } from '../../../../src/runtime/seccomp/index.ts';
import { runFilter } from '../../../fixtures/bpf.ts';

const machine = process.arch as Machine;
const AUDIT = machine === 'arm64' ? 0xc00000b7 : 0xc000003e;
const CLONE = machine === 'arm64' ? 220 : 56;

test('Docker’s profile: clone passes, but not for namespaces, and clone3 does not', () => {
  const { filter } = compileDefault([], '6.1.0', machine);
  expect(passesFilter(filter, CLONE, [17])).toBe(true);
  expect(passesFilter(filter, CLONE, [0x10000000])).toBe(false);
  expect(passesFilter(filter, syscallNumber('clone3'), [])).toBe(false);
});

test('a call that is only logged passes; one that is killed, refused or asked about does not', () => {
  for (const [action, passes] of [
    ['SCMP_ACT_LOG', true],
    ['SCMP_ACT_ERRNO', false],
    ['SCMP_ACT_KILL_PROCESS', false],
    ['SCMP_ACT_TRACE', false],
  ] as const) {
    const { filter } = compileSeccomp({
      defaultAction: 'SCMP_ACT_ALLOW',
      syscalls: [{ names: ['setsid'], action }],
    });
    expect(passesFilter(filter, syscallNumber('setsid'), [])).toBe(passes);
    expect(passesFilter(filter, syscallNumber('write'), [])).toBe(true);
  }
});

test('the same verdicts as another interpreter, for every call', () => {
  const { filter } = compileDefault(['CAP_SYS_ADMIN'], '6.1.0', machine);
  for (let nr = 0; nr < 500; nr++) {
    for (const args of [
      [0n, 0n],
      [1n, 0xffffffffn],
      [0x7e020000n, 8n],
    ]) {
      const data = { nr, arch: AUDIT, args: [...args, 0n, 0n, 0n, 0n] };
      const { verdict } = runFilter(Buffer.from(filter), data);
      const allowed = verdict === 0x7fff0000 || verdict === 0x7ffc0000;
      expect(passesFilter(filter, nr, args), `call ${nr}`).toBe(allowed);
    }
  }
});
