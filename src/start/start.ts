import { keptPlan } from './kept-plan.ts';
import { isAlone } from './kinds.ts';

/** What a file of the bundle exports. */
export type Loaded = Record<string, (...args: never[]) => unknown>;

/** Evaluates a file of the bundle, by its name. */
export type Load = (file: string) => Loaded;

/**
 * `tsbox`: carries out the plan that was kept of this command line, if there is one, and is the command otherwise.
 *
 * @param has whether a file of the bundle is there, and fast to load
 */
export function startCommand(
  args: readonly string[],
  digest: string,
  load: Load,
  has: (file: string) => boolean = () => true,
): void {
  const file = isAlone(args) ? 'again.cjs' : 'again-network.cjs';
  const kept = has(file) ? keptPlan(args, digest) : undefined;
  const start = () => {
    // Where the bundle may leave the plan for the next time.
    if (kept !== undefined) known[KEPT] = kept;
    load('cli.cjs');
  };
  if (!kept?.there) {
    start();
    return;
  }
  const { again, leave } = load(file) as unknown as Again;
  again(kept.file, kept.key).then((code) => {
    if (code === undefined) start();
    else process.nextTick(() => leave(code));
  });
}

/** `tsbox-oci`. */
export function startRuntime(digest: string, load: Load): void {
  // Of what is kept on disk, by which tsbox.
  known[BUILD] = digest;
  load('oci.cjs');
}

/** src/cli/again.ts */
interface Again {
  again(file: string, key: string): Promise<number | undefined>;
  leave(code: number): void;
}

const known = globalThis as Record<symbol, unknown>;
const KEPT = Symbol.for('tsbox.kept');
const BUILD = Symbol.for('tsbox.build');
