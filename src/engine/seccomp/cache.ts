export {
  cachedFilterFile,
  isFilter,
  readFilter,
  readShippedFilter,
  writeFilter,
} from '../../runtime/seccomp/cache.ts';
