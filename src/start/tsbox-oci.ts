#!/usr/bin/env -S node --
/* The `tsbox-oci` command, as src/start/tsbox.ts is the other. */
import { kindOfVerb } from './kinds.ts';
import { packageLoader } from './package.ts';
import { startRuntime } from './start.ts';

const args = process.argv.slice(2);
const kind = kindOfVerb(args);

const load = packageLoader({
  digest: BUNDLE_DIGEST,
  kind: () => kind,
  worthwhile: () => (kind !== '' ? !args.includes('--help') : args.includes('run')),
  worked: (code) => code === 0,
});

startRuntime(BUNDLE_DIGEST, load);
