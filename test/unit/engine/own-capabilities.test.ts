import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { ownCapabilities } from '../../../src/engine/own-capabilities.ts';
import { CAPABILITIES } from '../../../src/kernel/index.ts';

test('our capabilities are those that the kernel prints', () => {
  const mask = /^CapPrm:\s*([0-9a-f]{16})$/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1];
  const printed = CAPABILITIES.filter((_, number) => (BigInt(`0x${mask}`) >> BigInt(number)) & 1n);
  expect([...ownCapabilities()]).toEqual(printed);
});
