import { flags, named, Slot, type Step } from '../launch/index.ts';
import { type HostView, returnToHost } from './before-pivot.ts';
import { CLOSE_RANGE } from './program.ts';
import type { Hook } from './spec.ts';
import { Stage } from './stage.ts';

/**
 * Runs a hook and waits for its end: the state is its standard input (config.md, "POSIX-platform Hooks"). One that fails ends the plan.
 *
 * @param host where it finds the host, if that is not the root any more
 */
export function hookSteps(stage: Stage, hook: Hook, state: number, host?: HostView): void {
  stage.call('lseek', [state, 0, named('SEEK_SET', 0)], 'the hook reads the state from its beginning');
  const child: Step[] = [];
  const steps = new Stage(child, 'Hook');
  if (host) returnToHost(steps, host);
  steps.call('dup3', [state, 0, 0], 'the state on standard input');
  steps.call(
    'close_range',
    [3, named('~0', 0xffffffff), flags(CLOSE_RANGE, 'CLOSE_RANGE_CLOEXEC')],
    'no more',
  );
  const args = hook.args && hook.args.length > 0 ? hook.args : [hook.path];
  steps.call('execve', [hook.path, { strings: args }, { strings: hook.env ?? [] }], 'become the hook');
  const pid = new Slot('hook');
  stage.call('clone', [named('SIGCHLD', 17)], `a process for the hook ${hook.path}`, { save: pid, child });
  const why = `the hook ${hook.path} has succeeded`;
  stage.call('await', [pid, (hook.timeout ?? 0) * 1000], why);
}
