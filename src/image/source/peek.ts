/** The first bytes of a stream (fewer where it is shorter), and everything, the first bytes included. */
export async function peek(chunks: AsyncGenerator<Buffer>, count: number) {
  const first: Buffer[] = [];
  let length = 0;
  while (length < count) {
    const { done, value } = await chunks.next();
    if (done) break;
    first.push(value);
    length += value.length;
  }
  const start = Buffer.concat(first);
  const all = (async function* () {
    if (start.length > 0) yield start;
    yield* chunks;
  })();
  return { start, all };
}
