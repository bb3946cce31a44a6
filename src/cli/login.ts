import { login, TsboxError } from '../index.ts';
import { ask } from './ask.ts';
import { defineCommand } from './command.ts';
import { print, printError } from './output.ts';
import { TLS_VERIFY, tlsVerify } from './tls-verify.ts';
import { usageError } from './usage.ts';

interface Options {
  username?: string;
  password?: string;
  passwordStdin?: boolean;
  tlsVerify?: string | boolean;
}

/** `tsbox login` */
export async function loginCommand(args: string[]): Promise<number> {
  const command = defineCommand({
    usage: 'login [OPTIONS] [SERVER]',
    description:
      'Log in to a registry; Docker Hub where none is named. What is not given is asked for. The credentials are checked, and kept in ~/.config/tsbox/auth.json.',
    examples: [
      ['tsbox login', 'Docker Hub'],
      ['pass ghcr | tsbox login -u me --password-stdin ghcr.io', 'from a password manager'],
    ],
  })
    .argument('[server]')
    .option('-u, --username <name>', 'User name')
    .option(
      '-p, --password <password>',
      'Password; other users of this machine can see it in the process list',
    )
    .option('--password-stdin', 'Read the password from standard input')
    .option(...TLS_VERIFY)
    .allowExcessArguments(false)
    .parse(args, { from: 'user' });
  const options = command.opts<Options>();
  const verify = tlsVerify('login', options.tlsVerify);
  const credentials = await credentialsOf(options);
  const { file } = await login(command.args[0] ?? 'docker.io', credentials, verify);
  printError(`The credentials are stored unencrypted in ${file}; only you can read it.\n`);
  print('Login Succeeded\n');
  return 0;
}

async function credentialsOf(options: Options): Promise<{ username: string; password: string }> {
  if (options.passwordStdin) {
    if (options.password !== undefined)
      throw usageError('login', '--password and --password-stdin are mutually exclusive');
    if (options.username === undefined)
      throw usageError('login', '--password-stdin needs --username, since nobody can be asked for it');
    return { username: options.username, password: await readPassword() };
  }
  if (options.password !== undefined)
    printError('Warning: --password on the command line can be seen by others; use --password-stdin.\n');
  const username = options.username ?? (await askFor('Username: ', false));
  const password = options.password ?? (await askFor('Password: ', true));
  return { username, password };
}

async function askFor(prompt: string, hidden: boolean): Promise<string> {
  if (!process.stdin.isTTY)
    throw new TsboxError('TERMINAL', 'nobody can be asked for a password: standard input is no terminal', {
      advice: 'give --username and --password-stdin',
    });
  const answer = (await ask(prompt, { hidden }))?.trim();
  if (answer) return answer;
  throw new TsboxError('BAD_CREDENTIALS', `no ${prompt.toLowerCase().replace(': ', '')} was given`);
}

async function readPassword(): Promise<string> {
  let text = '';
  for await (const chunk of process.stdin.setEncoding('utf8')) {
    text += chunk;
    if (text.length > LONGEST)
      throw new TsboxError('BAD_CREDENTIALS', 'what is on standard input is no password: it does not end');
  }
  // Of `echo`, or of a file.
  return text.replace(/\r?\n$/, '');
}

const LONGEST = 64 * 1024;
