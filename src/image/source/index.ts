/** Where an archive's bytes come from, and what has to be undone before they are a tar. */
export { type Compression, decompress, detectCompression } from './decompress.ts';
export { checkAmount, meter } from './meter.ts';
export { openSource, type Source } from './open.ts';
export { peek } from './peek.ts';
