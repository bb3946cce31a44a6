import { constants } from 'node:os';
import type { Container } from '../../index.ts';
import { printError } from '../output.ts';
import type { Terminal } from './terminal.ts';

/**
 * What Docker's client passes on, but for those that tell of a fault of the process itself (SIGSEGV), that Node cannot catch (the real-time
 * ones), and that stop or continue a job: those act on tsbox, as on any program in a shell.
 */
const FORWARDED = [
  'SIGHUP',
  'SIGINT',
  'SIGQUIT',
  'SIGUSR1',
  'SIGUSR2',
  'SIGALRM',
  'SIGTERM',
  'SIGIO',
  'SIGPWR',
] as const;

type Forwarded = (typeof FORWARDED)[number];

/** Those that would end us by themselves when somebody wants us gone. */
const ENDING: readonly string[] = ['SIGHUP', 'SIGINT', 'SIGQUIT', 'SIGTERM'];

export interface Forwarding {
  /** From now on signals go to the container, and its terminal follows the size of ours. */
  to(container: Pick<Container, 'kill'>, terminal: Terminal | undefined): void;
  /** Whether a signal came before there was a container, which is then killed as soon as it is there. */
  calledOff: boolean;
  /** 128+n where a signal n ended the run rather than the program itself. */
  fatal: number | undefined;
  /** Signals do what they usually do again. */
  end(): void;
}

/**
 * Catches the signals that we get and passes them on to the container's program. The terminal's Ctrl-C is one of them, where the container
 * has no terminal of its own: the program is in another session, so the kernel sends it to us only.
 *
 * The program is PID 1 there, which ignores a signal that it has no handler for (pid_namespaces(7)). So a third SIGINT or
 * SIGTERM within three seconds kills the container: as with Docker's client, there is always a way out.
 *
 * @param proxy false: an ending signal kills the container instead
 */
export function forwardSignals(proxy: boolean): Forwarding {
  const insistence = new Insistence();
  let container: Pick<Container, 'kill'> | undefined;
  const kill = (signal: string) => container?.kill(signal).catch(() => {}); // it may have ended meanwhile

  const onSignal = (name: Forwarded) => {
    if (container === undefined) {
      if (!ENDING.includes(name)) return;
      forwarding.fatal = exitCodeOf(name);
      forwarding.calledOff = true;
    } else if (proxy) {
      kill(name);
      if ((name === 'SIGINT' || name === 'SIGTERM') && insistence.third(Date.now())) {
        printError(`tsbox: third ${name}: killing the container\n`);
        kill('SIGKILL');
      }
    } else if (ENDING.includes(name)) {
      forwarding.fatal = exitCodeOf(name);
      kill('SIGKILL');
    }
  };
  let onResize: (() => void) | undefined;

  const forwarding: Forwarding = {
    // Not an AbortSignal, which Node takes 3 ms to load.
    calledOff: false,
    fatal: undefined,
    to(started, terminal) {
      container = started;
      if (forwarding.calledOff) kill('SIGKILL');
      if (terminal === undefined) return;
      onResize = terminal.resized;
      process.on('SIGWINCH', onResize);
    },
    end() {
      for (const name of FORWARDED) process.off(name, onSignal);
      if (onResize) process.off('SIGWINCH', onResize);
    },
  };
  for (const name of FORWARDED) process.on(name, onSignal);
  return forwarding;
}

/** Counts signals that come close together. */
export class Insistence {
  #times: number[] = [];

  /** Whether this is the third within three seconds; counting then begins anew. */
  third(now: number): boolean {
    this.#times = [...this.#times.filter((time) => now - time < 3000), now];
    if (this.#times.length < 3) return false;
    this.#times = [];
    return true;
  }
}

function exitCodeOf(name: Forwarded): number {
  return 128 + constants.signals[name];
}
