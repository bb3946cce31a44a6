import { TsboxError } from '../index.ts';
import { printError } from './output.ts';
import { safe } from './safe.ts';

/**
 * Says on standard error what went wrong, and returns the exit code. The only place where the command reports an error, so that
 * each is said once: `tsbox: MESSAGE`, and a line of advice where the cause is known.
 *
 * What is neither a TsboxError nor an answer of the system is a fault of ours; TSBOX_DEBUG=1 adds where it happened.
 */
export function report(error: unknown): number {
  // How commander's parser comes back once `--help` is printed.
  if ((error as { code?: unknown } | undefined)?.code === 'commander.helpDisplayed') return 0;
  if (error instanceof TsboxError) {
    say(error.message, error.advice ?? adviceFor(error), error);
    return error.exitCode;
  }
  if (isSystemError(error)) {
    say(error.message, adviceFor(error), error);
    return 125;
  }
  const message = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  const advice = process.env.TSBOX_DEBUG
    ? undefined
    : 'this is a fault of tsbox; set TSBOX_DEBUG=1 to see where it happened';
  say(`unexpected error: ${message}`, advice, error);
  return 125;
}

/** Of what can happen to any command, wherever it writes. */
function adviceFor({ code, path }: { code?: unknown; path?: unknown }): string | undefined {
  if (code === 'ENOSPC' || code === 'EDQUOT')
    return 'its disk is full; `tsbox system df` shows what can be removed';
  const root = process.env.TSBOX_ROOT || '/var/lib/tsbox';
  const ours = typeof path === 'string' && path.startsWith(root);
  return code === 'EROFS' && ours ? 'set TSBOX_ROOT to a directory that can be written' : undefined;
}

function say(message: string, advice: string | undefined, error: unknown): void {
  const lines = [`tsbox: ${safe(message)}`];
  if (advice !== undefined) lines.push(`  ${safe(advice)}`);
  if (process.env.TSBOX_DEBUG) lines.push(safe(stackOf(error)));
  printError(`${lines.join('\n')}\n`);
}

function stackOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const cause = error.cause === undefined ? '' : `\ncaused by ${stackOf(error.cause)}`;
  return `${error.stack ?? error.message}${cause}`;
}

function isSystemError(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && typeof (error as NodeJS.ErrnoException).syscall === 'string';
}
