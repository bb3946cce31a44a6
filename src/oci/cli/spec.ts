import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { sampleConfig } from '../sample-config.ts';
import { failure } from '../state.ts';
import type { Call } from './call.ts';
import { expect, parseFlags } from './flags.ts';

/** Writes a `config.json` to begin with. */
export function spec({ args }: Call): undefined {
  const { flags, rest } = parseFlags(args, { bundle: 'string', rootless: 'bool' }, { b: 'bundle' });
  expect(rest, []);
  const file = join(flags.string('bundle') ?? '.', 'config.json');
  const config = sampleConfig(
    flags.is('rootless') ? { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 } : undefined,
  );
  try {
    writeFileSync(file, `${JSON.stringify(config, null, '\t')}\n`, { flag: 'wx', mode: 0o666 });
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    throw failure('SPEC_FAILED', code === 'EEXIST' ? `File ${file} exists. Remove it first` : message);
  }
}
