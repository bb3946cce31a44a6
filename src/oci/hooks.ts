import type { Hook } from '../runtime/index.ts';
import { failure } from './state.ts';

/** Runs hooks in the runtime's namespaces, one after the other. @throws {TsboxError} HOOK_FAILED at the first that fails */
export function runHooks(
  kind: string,
  hooks: readonly Hook[] | undefined,
  state: object,
  bundle: string,
): void {
  for (const [index, { path, args = [path], env = [], timeout }] of (hooks ?? []).entries()) {
    const { spawnSync } = process.getBuiltinModule('node:child_process');
    const result = spawnSync(path, args.slice(1), {
      argv0: args[0] ?? path,
      env: Object.fromEntries(env.map(splitVariable)),
      cwd: bundle,
      input: JSON.stringify(state),
      maxBuffer: 1 << 20,
      killSignal: 'SIGKILL',
      ...(timeout !== undefined && { timeout: timeout * 1000 }),
    });
    const where = `hooks.${kind}[${index}] (${path})`;
    const said = String(result.stderr ?? '')
      .trim()
      .slice(-500);
    const more = said === '' ? '' : `: ${said.replaceAll('\n', ' / ')}`;
    const code = (result.error as NodeJS.ErrnoException | undefined)?.code;
    if (code === 'ETIMEDOUT')
      throw failure('HOOK_FAILED', `${where}: timed out after ${timeout} s and was killed`);
    // It need not read what it is given.
    if (result.error && code !== 'EPIPE') throw failure('HOOK_FAILED', `${where}: ${result.error.message}`);
    if (result.signal) throw failure('HOOK_FAILED', `${where}: was killed by ${result.signal}${more}`);
    if (result.status !== 0)
      throw failure('HOOK_FAILED', `${where}: exited with status ${result.status}${more}`);
  }
}

function splitVariable(entry: string): [name: string, value: string] {
  const equals = entry.indexOf('=');
  return equals < 0 ? [entry, ''] : [entry.slice(0, equals), entry.slice(equals + 1)];
}
