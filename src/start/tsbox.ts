#!/usr/bin/env -S node --
/*
 * The `tsbox` command: starts the bundle of src/cli/ in the fewest milliseconds. The build makes one file of this and what it imports (scripts/build/start.mjs).
 *
 * The `--` in the first line is there because Node reads a file named by --env-file wherever that stands among the arguments, also behind the
 * script's name, and takes NODE_OPTIONS from it: without, `tsbox run --env-file FILE` would run as root what FILE says.
 */
import { kindOfCommand } from './kinds.ts';
import { packageLoader } from './package.ts';
import { startCommand } from './start.ts';

const args = process.argv.slice(2);
const [command, ...options] = args;
const kind = kindOfCommand(args);

const load = packageLoader({
  digest: BUNDLE_DIGEST,
  kind: (file) => (file.startsWith('again') ? '' : kind),
  worthwhile(file) {
    if (file.startsWith('again')) return true;
    if (file === 'more.cjs' && kind === '') return true;
    // A run that worked is the one worth remembering: `--version` would leave a cache without the functions of `run`.
    return (kind !== '' || command === 'run') && !options.includes('--help');
  },
  worked: (code) => code < 125,
});

startCommand(args, BUNDLE_DIGEST, load);
