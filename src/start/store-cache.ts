import { join } from 'node:path';

/** Where the store keeps what can always be made again. */
export function storeCache(): string {
  return join(process.env.TSBOX_ROOT || '/var/lib/tsbox', 'cache');
}
