import {
  type ExecOptions,
  exec,
  execDetached,
  explainExec,
  formatPlan,
  parseEnvironment,
  planToJson,
} from '../index.ts';
import { collect, defineCommand } from './command.ts';
import { print } from './output.ts';
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
  if (!given.detach) return inForeground(container, program, options, given.interactive === true);
  // As in Docker, nothing is printed. A terminal that nobody could ever look at is none.
  await execDetached(container, program, { ...options, tty: false });
  return 0;
}

interface Given {
  detach?: boolean;
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
  interactive: boolean,
): Promise<number> {
  const tty = options.tty ? await import('./run/terminal.ts') : undefined;
  const attach = new Set<Stream>(interactive ? ['stdin', 'stdout', 'stderr'] : ['stdout', 'stderr']);
  if (interactive) tty?.requireTerminal();
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
