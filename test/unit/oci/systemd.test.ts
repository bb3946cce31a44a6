import { describe, expect, test } from 'vitest';
import { marshal, split } from '../../../src/oci/systemd/marshal.ts';
import { unitName } from '../../../src/oci/systemd/names.ts';
import { limitProperties } from '../../../src/oci/systemd/properties.ts';
import { unmarshal } from '../../../src/oci/systemd/unmarshal.ts';

describe('values on the wire', () => {
  // By hand, after the D-Bus specification, "Marshaling".
  test.each([
    ['u', [5], '05000000'],
    ['s', ['foo'], '03000000666f6f00'],
    ['g', ['a(sv)'], '05612873762900'],
    ['yt', [1, 2n], '01000000000000000200000000000000'],
    ['v', [{ signature: 'b', value: true }], '0162000001000000'],
    ['au', [[7, 8]], '080000000700000008000000'],
    // The padding in front of the first element does not count as length.
    ['a(sv)', [[]], '0000000000000000'],
    ['ay', [Buffer.from([3])], '0100000003'],
  ])('%s', (signature, values, hex) => {
    expect(marshal(signature, values).toString('hex')).toBe(hex);
  });

  test('come back as they went', () => {
    const signature = 'ssa(sv)a(sa(sv))';
    const values = ['one', 'replace', [['PIDs', { signature: 'au', value: [1, 2] }]], [['x', []]]];
    expect(unmarshal(signature, marshal(signature, values))).toEqual(values);
    expect(split(signature)).toEqual(['s', 's', 'a(sv)', 'a(sa(sv))']);
  });

  test.each([
    ['s', 'ffffffff666f6f00'],
    ['au', 'ffffff7f00000000'],
    ['t', '00'],
    ['v', '02757500'],
    ['v', `${'017600'.repeat(100)}`],
  ])('%s of a stranger, cut or too long: %s', (signature, hex) => {
    expect(() => unmarshal(signature, Buffer.from(hex, 'hex'))).toThrow(
      'a message of the D-Bus cannot be read',
    );
  });
});

test.each([
  ['machine.slice:libpod:abc', { slice: 'machine.slice', unit: 'libpod-abc.scope' }],
  [':cri-containerd:abc', { slice: 'system.slice', unit: 'cri-containerd-abc.scope' }],
  ['a.slice::abc', { slice: 'a.slice', unit: 'abc.scope' }],
  [undefined, { slice: 'system.slice', unit: 'tsbox-oci-id.scope' }],
])('the unit of %s', (path, name) => {
  expect(unitName(path, 'id')).toEqual(name);
});

test.each(['/a/b', 'a:b', 'a.slice:b:', 'a.slice:b:c:d', 'slice:b:c', 'a.slice:b:c/d', 'a.slice:b:c d'])(
  'no unit: %s',
  (path) => {
    expect(() => unitName(path, 'id')).toThrow('linux.cgroupsPath');
  },
);

test('limits as properties', () => {
  const write = (file: string, value: string) => ({ file, value, controller: 'x', limit: 'x' });
  const writes = [
    write('memory.max', '1024'),
    write('memory.swap.max', 'max'),
    write('cpu.max', '33333 100000'),
    write('cpuset.cpus', '0,9-10'),
    write('hugetlb.2MB.max', '0'),
  ];
  expect(limitProperties(writes)).toEqual([
    ['MemoryMax', { signature: 't', value: 1024n }],
    ['MemorySwapMax', { signature: 't', value: 2n ** 64n - 1n }],
    ['CPUQuotaPeriodUSec', { signature: 't', value: 100_000n }],
    ['CPUQuotaPerSecUSec', { signature: 't', value: 340_000n }],
    ['AllowedCPUs', { signature: 'ay', value: Buffer.from([0b1, 0b110]) }],
  ]);
});
