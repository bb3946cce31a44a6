import { afterEach, expect, test, vi } from 'vitest';
import { containersDirectory } from '../../../src/engine/paths.ts';
import { storePaths } from '../../../src/image/store/paths.ts';
import { networksDirectory } from '../../../src/network/store/paths.ts';
import { cachedFilterFile } from '../../../src/runtime/seccomp/cache.ts';
import { storeCache } from '../../../src/start/store-cache.ts';

afterEach(() => vi.unstubAllEnvs());

test.each([
  [undefined, '/var/lib/tsbox'],
  ['', '/var/lib/tsbox'],
  ['/srv/boxes', '/srv/boxes'],
])('with TSBOX_ROOT=%s everything is below %s', (value, root) => {
  vi.stubEnv('TSBOX_ROOT', value);
  const places = [
    containersDirectory(),
    storePaths().images,
    networksDirectory(),
    cachedFilterFile('profile'),
    storeCache(),
  ];
  for (const place of places) expect(place.startsWith(`${root}/`), place).toBe(true);
});
