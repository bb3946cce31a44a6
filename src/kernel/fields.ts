/**
 * The fields of a struct, as a DataView: with `true` for little-endian, which both machines are. Buffer has readers and writers too, but in
 * JavaScript, which V8 must compile in every process that uses them; DataView's are built in.
 */
export function fields(struct: Uint8Array): DataView {
  return new DataView(struct.buffer, struct.byteOffset, struct.byteLength);
}
