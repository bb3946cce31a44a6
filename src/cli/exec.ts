import {
  type ExecOptions,
  exec,
  execDetachable,
  execDetached,
  explainExec,
  formatPlan,
  parseEnvironment,
  planToJson,
} from '../index.ts';
import { collect, defineCommand } from './command.ts';
import { parseDetachKeys, watchForKeys } from './detach-keys.ts';
import { print, printError } from './output.ts';
import type { Stream } from './run/arguments.ts';
import { dieOfHangUp } from './run/hang-up.ts';
import { forwardSignals } from './run/signals.ts';
import { respell } from './run/spelling.ts';
import type { Terminal } from './run/terminal.ts';
import { usageError } from './usage.ts';

/** `tsbox exec`: a program in a container that runs. The exit code is the program's. */
export async function execCommand(args: string[]): Promise<number> {
  const command = defineCommand({
    usage: 'exec [OPTIONS] CONTAINER COMMAND [ARG…]',
    description: 'Run a program in a container that runs. Options after CONTAINER are those of the command.',
    examples: [
      ['tsbox exec -it web sh', 'a shell'],
      ['tsbox exec -u nobody -w /tmp web id', 'as somebody else, somewhere else'],
      ['tsbox exec -i db psql < dump.sql', 'in a pipeline'],
      ['tsbox exec --explain web true', 'what it would do'],
    ],
  })
    .argument('<container>')
    .argument('<command...>')
    .passThroughOptions()
    .option('-d, --detach', 'Do not wait for it, and do not show what it writes')
    .option('--detach-keys <keys>', 'With -it: let go of it, and leave it running, when these are typed')
    .option('-e, --env <name[=value]>', 'Set a variable; without a value, pass yours on', collect)
    .option('--env-file <file>', 'Set the variables of a file of NAME=VALUE lines', collect)
    .option('-i, --interactive', 'Connect your standard input')
    .option('-t, --tty', 'Give it a terminal')
    .option('-u, --user <name|uid[:group|gid]>', 'Who runs it, as the container knows them')
    .option('-w, --workdir <path>', 'Where it starts')
    .option('--privileged', 'Allow it nearly everything')
    .option('--explain [format]', 'Print the system calls, and make none of them (--explain=json)');
  command.parse(respell(args, command.options), { from: 'user' });
  const given = command.opts<Given>();
  const [container = '', ...program] = command.args;
  const options = optionsOf(given);
  if (given.explain !== undefined) return explainOnly(container, program, options, given.explain);
  parseDetachKeys(given.detachKeys);
  if (!given.detach) return inForeground(container, program, options, given);
  // As in Docker, nothing is printed.
  await execDetached(container, program, options);
  return 0;
}

interface Given {
  detach?: boolean;
  detachKeys?: string;
  env?: string[];
  envFile?: string[];
  interactive?: boolean;
  tty?: boolean;
  user?: string;
  workdir?: string;
  privileged?: boolean;
  explain?: string | true;
}

function optionsOf({ env, envFile, tty, user, workdir, privileged }: Given): ExecOptions {
  return {
    ...(env && { env: Object.fromEntries(env.map((each) => parseEnvironment('--env', each))) }),
    ...(envFile && { envFile }),
    ...(tty && { tty }),
    ...(user && { user }),
    ...(workdir && { workdir }),
    ...(privileged && { privileged }),
  };
}

async function explainOnly(
  container: string,
  program: string[],
  options: ExecOptions,
  format: string | true,
): Promise<number> {
  if (format !== true && !['', 'json', 'text'].includes(format))
    throw usageError('exec', `--explain=${format}: the formats are text and json`);
  const plan = await explainExec(container, program, options);
  print(format === 'json' ? `${JSON.stringify(planToJson(plan), null, 2)}\n` : formatPlan(plan));
  return 0;
}

async function inForeground(
  container: string,
  command: string[],
  options: ExecOptions,
  { interactive = false, detachKeys }: Given,
): Promise<number> {
  const tty = options.tty ? await import('./run/terminal.ts') : undefined;
  const attach = new Set<Stream>(interactive ? ['stdin', 'stdout', 'stderr'] : ['stdout', 'stderr']);
  if (interactive) tty?.requireTerminal();
  if (tty && interactive && detachKeys)
    return detachable(container, command, { ...options, size: tty.windowSize() }, detachKeys);
  const forwarding = forwardSignals(true);
  let terminal: Terminal | undefined;
  try {
    const program = await exec(container, command, {
      ...options,
      stdin: interactive ? 'inherit' : 'ignore',
      stdout: 'inherit',
      stderr: 'inherit',
      size: tty?.windowSize(),
      mayBlock: true,
    });
    const hangUp = async () => program.kill('SIGHUP');
    terminal = tty?.attachTerminal(
      { terminal: program.terminal, resize: (size) => program.resize(size), stop: hangUp },
      attach,
    );
    forwarding.to(program, terminal);
    const { code } = await program.wait();
    await terminal?.drained;
    return forwarding.fatal ?? code;
  } catch (error) {
    if (forwarding.fatal !== undefined && forwarding.calledOff) return forwarding.fatal;
    throw error;
  } finally {
    terminal?.restore();
    forwarding.end();
    await dieOfHangUp();
  }
}

/** The same for a program that can be let go of; it also goes on when our terminal is gone. */
async function detachable(
  container: string,
  command: string[],
  options: ExecOptions,
  detachKeys: string,
): Promise<number> {
  const { attachTerminal } = await import('./run/terminal.ts');
  const forwarding = forwardSignals(true);
  const program = await execDetachable(container, command, options).catch((error) => {
    forwarding.end();
    throw error;
  });
  let terminal: Terminal | undefined;
  try {
    const letGo = new Promise<'let go'>((resolve) => {
      const detach = async () => {
        program.detach();
        resolve('let go');
      };
      terminal = attachTerminal(
        { terminal: program.terminal, resize: (size) => program.resize(size), stop: detach },
        new Set<Stream>(['stdin', 'stdout', 'stderr']),
        watchForKeys(detachKeys, detach),
      );
    });
    forwarding.to(program, terminal);
    const end = await Promise.race([program.wait(), letGo]);
    if (end !== 'let go') await terminal?.drained;
    terminal?.restore();
    if (end === 'let go') printError('read escape sequence\n');
    return forwarding.fatal ?? (end === 'let go' ? 0 : end.code);
  } finally {
    terminal?.restore();
    forwarding.end();
    await dieOfHangUp();
  }
}
