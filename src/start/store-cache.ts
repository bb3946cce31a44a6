import { join } from 'node:path';
import { storeRoot } from '../kernel/store-root.ts';

/** Where the store keeps what can always be made again. */
export function storeCache(): string {
  return join(storeRoot(), 'cache');
}
