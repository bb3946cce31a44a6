import type { Container, ExitStatus, StartOptions } from '../../index.ts';
import { printError } from '../output.ts';
import { binarySize } from '../units.ts';
import type { RunArguments } from './arguments.ts';
import { dieOfHangUp } from './hang-up.ts';
import { forwardSignals } from './signals.ts';
import type { Terminal } from './terminal.ts';

/** Runs a container until its program ends, as if the program ran here: with our streams or terminal, our signals, and its exit code. @param run starts it */
export async function runInForeground(
  request: RunArguments,
  run: (options: StartOptions) => Promise<Container>,
): Promise<{ exitCode: number; profile?: string }> {
  const loaded = process.hrtime.bigint();
  const { options, attach } = request;
  // Only now: `node:tty` brings `node:net` along, 3 ms that a pipeline need not pay.
  const tty = options.tty ? await import('./terminal.ts') : undefined;
  if (attach.has('stdin')) tty?.requireTerminal();
  // From here on, so that no signal can end us between the start of the container and its end.
  const forwarding = forwardSignals(request.sigProxy);
  let terminal: Terminal | undefined;
  try {
    const container = await run(startOptions(request, tty?.windowSize()));
    try {
      terminal = tty?.attachTerminal(container, attach);
      forwarding.to(container, terminal);
      const status = await container.wait();
      await terminal?.drained;
      terminal?.restore();
      explainDeath(status);
      const exitCode = forwarding.fatal ?? status.code;
      if (!request.profile) return { exitCode };
      const { profileText } = await import('./profile.ts');
      return { exitCode, profile: profileText(container.profile(), loaded) };
    } finally {
      await container[Symbol.asyncDispose]();
    }
  } catch (error) {
    // A start that a signal stopped is no failure of ours.
    if (forwarding.fatal !== undefined && forwarding.calledOff) return { exitCode: forwarding.fatal };
    throw error;
  } finally {
    terminal?.restore();
    forwarding.end();
    await dieOfHangUp();
  }
}

function startOptions({ options, attach, profile }: RunArguments, size: StartOptions['size']): StartOptions {
  return {
    rm: false,
    ...options,
    stdin: attach.has('stdin') ? 'inherit' : 'ignore',
    stdout: attach.has('stdout') ? 'inherit' : 'ignore',
    stderr: attach.has('stderr') ? 'inherit' : 'ignore',
    size,
    profile,
    mayBlock: true,
  };
}

function explainDeath(status: ExitStatus): void {
  if (!status.oomKilled) return;
  const limit = status.memoryLimit === undefined ? '' : ` (limit ${binarySize(status.memoryLimit)})`;
  printError(`tsbox: killed: out of memory${limit}\n`);
}
