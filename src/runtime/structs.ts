import { MOUNT_ATTR } from '../kernel/index.ts';
import type { Printed, Slot, Struct } from '../launch/index.ts';

/** `struct mount_attr` of mount_setattr(2), 32 bytes. */
export function mountAttr(fields: {
  set?: Printed;
  clear?: Printed;
  propagation?: Printed;
  userns?: Slot;
}): Struct {
  // Four words of 64 bits; no attribute needs more than the lower half of one, and both machines are little-endian.
  const words = new Uint32Array(8);
  words[0] = Number(fields.set?.value ?? 0);
  words[2] = Number(fields.clear?.value ?? 0);
  words[4] = Number(fields.propagation?.value ?? 0);
  return {
    bytes: new Uint8Array(words.buffer),
    // Made when it is read, which no start does.
    get text() {
      const text = [
        fields.set && `attr_set=${fields.set.text}`,
        fields.clear && `attr_clr=${fields.clear.text}`,
        fields.propagation && `propagation=${fields.propagation.text}`,
        fields.userns && `userns_fd=${fields.userns.name}`,
      ];
      return `{${text.filter(Boolean).join(', ')}}`;
    },
    slots: fields.userns ? [{ offset: 24, slot: fields.userns, width: 8 }] : [],
  };
}

export const MOUNT_ATTR_SIZE = 32;

/** A set of mount attributes by name. */
export function attributes(names: Iterable<keyof typeof MOUNT_ATTR>): Printed {
  const unique = [...new Set(names)];
  return { value: unique.reduce((sum, name) => sum + MOUNT_ATTR[name], 0), text: unique.join('|') || '0' };
}

/** Little-endian 32-bit words. */
export function words(text: string, ...values: number[]): Struct {
  // Both machines are little-endian.
  return { bytes: Buffer.from(Int32Array.from(values).buffer), text };
}
