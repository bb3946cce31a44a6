/**
 * Reading tar archives: from a stream of bytes to entries whose every attribute is as the archive has it. Nothing here touches
 * the file system or judges an entry; that is src/image/layer/.
 */
export type { TarEntry, TarEntryType } from './entry.ts';
export { TarReader } from './read.ts';
export { type TarMember, tarEnd, tarHeader, tarPadding } from './write.ts';
