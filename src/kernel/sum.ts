/**
 * A short name for a text, for a file whose content says whether it is that text: others may have the same. FNV-1a over words of four bytes, twice. Loading
 * node:crypto takes 7 ms of a start.
 */
export function sumOf(text: Buffer): string {
  let [a, b] = [0x811c9dc5, 0x01000193];
  const words = new Uint32Array((text.length + 3) >> 2);
  new Uint8Array(words.buffer).set(text);
  for (const word of words) {
    a = Math.imul(a ^ word, 0x01000193);
    b = Math.imul(b ^ word, 0x85ebca6b) ^ (b >>> 15);
  }
  const sum = [a, b].map((half) => (half >>> 0).toString(16).padStart(8, '0')).join('');
  return `${text.length}-${sum}`;
}
