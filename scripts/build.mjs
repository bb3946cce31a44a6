/**
 * `npm run build`: everything in dist/, of which nothing is in the repository.
 *
 *   node scripts/build.mjs          for this machine's architecture
 *   node scripts/build.mjs --all    the native files for x86-64 and arm64, as `npm pack` ships them
 *
 * What is newer than its sources is left alone.
 */
import { parseArgs } from 'node:util';
import { bundleCommand, bundleLibrary, bundleWorkers, emitTypes } from './build/bundle.mjs';
import { buildImage } from './build/image.mjs';
import { architectures, compileNative } from './build/native.mjs';
import { precompileSeccomp, writeCodeCache } from './build/warm.mjs';

const { values } = parseArgs({ options: { all: { type: 'boolean', default: false } } });

for (const architecture of values.all ? architectures : [process.arch]) compileNative(architecture);
buildImage();
await bundleLibrary();
await bundleWorkers();
await bundleCommand();
precompileSeccomp();
writeCodeCache();
// Last, because it is the slowest and nothing else waits for it.
emitTypes();
