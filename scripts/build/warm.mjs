import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { root } from './files.mjs';
import { warmOci } from './warm-oci.mjs';

/** Compiles the default seccomp profile to BPF ahead of time, where the project has a script for it. */
export function precompileSeccomp() {
  const script = ['mjs', 'ts']
    .map((ending) => join('scripts', `precompile-seccomp.${ending}`))
    .find(existsSync);
  if (script !== undefined) execFileSync(process.execPath, [script], { cwd: root, stdio: 'inherit' });
}

/**
 * dist/cache/: V8's code caches of the command's two files, made by what a person runs most.
 *
 * src/start/tsbox.ts writes them when a `run` has worked, and when another command has. A real one needs root; without, `--explain` does all
 * but the launch.
 *
 * @param node the Node that will read it
 */
export function writeCodeCache(node = process.execPath) {
  rmSync('dist/cache', { recursive: true, force: true });
  const store = mkdtempSync(join(tmpdir(), 'tsbox-build-'));
  let plans = '0';
  const tsbox = (...args) => {
    const env = { ...process.env, TSBOX_ROOT: store, TSBOX_KEEP_PLANS: plans };
    spawnSync(node, ['dist/tsbox.cjs', ...args], { cwd: root, env, stdio: 'ignore', timeout: 60_000 });
  };
  const run = (options) => tsbox('run', ...options, '--network', 'none', 'busybox', 'true');
  try {
    // The first run imports the image, which is not what is to be remembered.
    run(['--rm']);
    rmSync('dist/cache', { recursive: true, force: true });
    for (const options of [['--rm'], ['--explain']]) {
      run(options);
      if (existsSync('dist/cache') && readdirSync('dist/cache').length > 0) {
        tsbox('images');
        if (options[0] === '--rm') liveOn(tsbox);
        // The second time the plan is kept, and the third time it is used.
        plans = '1';
        if (options[0] === '--rm') for (let time = 1; time <= 3; time++) run(options);
        warmOci(store);
        console.log(`wrote dist/cache (by tsbox run ${options.join(' ')} busybox true)`);
        return;
      }
    }
    console.log('no code cache: tsbox run does not work here; it will be written by the first run that does');
  } finally {
    rmSync(store, { recursive: true, force: true });
  }
}

/** The commands that have caches of their own. */
function liveOn(tsbox) {
  tsbox('run', '-d', '--network', 'none', '--name', 'warm', 'busybox', 'sleep', '60');
  tsbox('exec', 'warm', 'true');
  tsbox('ps');
  tsbox('rm', '-f', 'warm');
}
