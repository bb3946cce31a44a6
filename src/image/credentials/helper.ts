import { spawn } from 'node:child_process';
import { TsboxError } from '../../kernel/index.ts';
import type { Environment } from './auth-file.ts';
import type { StoredCredentials } from './stored-credentials.ts';

/**
 * Asks a credential helper: the program `docker-credential-NAME`, which is given a server and answers in JSON
 * (github.com/docker/docker-credential-helpers).
 *
 * @returns undefined where it knows nothing of the server
 * @throws {TsboxError} CREDENTIAL_HELPER
 */
export async function askHelper(
  name: string,
  server: string,
  environment: Environment,
  timeout = 60_000,
): Promise<StoredCredentials | undefined> {
  // A path would be any program on the machine.
  if (!/^[A-Za-z0-9][A-Za-z0-9._-]*$/.test(name))
    throw failed(name, 'that is no name of a helper', 'see credsStore and credHelpers in the configuration');
  const { code, output } = await runHelper(name, server, environment, timeout);
  if (code !== 0) {
    // Its only way to say so, on standard output.
    if (/credentials not found/i.test(output)) return undefined;
    throw failed(name, `it failed (${code}): ${output.trim().split('\n')[0]?.slice(0, 200)}`);
  }
  const { Username: username, Secret: secret } = parse(name, output);
  if (typeof username !== 'string' || typeof secret !== 'string')
    throw failed(name, 'it gives no credentials');
  if (username === '' && secret === '') return undefined;
  return username === '<token>'
    ? { username, password: '', identityToken: secret }
    : { username, password: secret };
}

function runHelper(
  name: string,
  server: string,
  environment: Environment,
  timeout: number,
): Promise<{ code: number | null; output: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(`docker-credential-${name}`, ['get'], {
      stdio: ['pipe', 'pipe', 'inherit'],
      env: { ...environment },
    });
    const give = (error: TsboxError) => {
      clearTimeout(timer);
      child.kill('SIGKILL');
      // Something that the helper started may hold the pipe.
      child.stdout.destroy();
      reject(error);
    };
    const timer = setTimeout(
      () => give(failed(name, `it does not answer in ${Math.round(timeout / 1000)} seconds`)),
      timeout,
    );
    let output = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      output += text;
      if (output.length > OUTPUT) give(failed(name, 'it answers without end'));
    });
    child.on('error', (error: NodeJS.ErrnoException) =>
      give(
        error.code === 'ENOENT'
          ? failed(name, 'there is no such program', `install it, or take ${name} out of the configuration`)
          : failed(name, error.message),
      ),
    );
    child.on('close', (code) => {
      clearTimeout(timer);
      resolve({ code, output });
    });
    // It may end without reading.
    child.stdin.on('error', () => {});
    child.stdin.end(server);
  });
}

function parse(name: string, output: string): Record<string, unknown> {
  try {
    return Object(JSON.parse(output));
  } catch {
    throw failed(name, 'its answer is not JSON');
  }
}

function failed(name: string, message: string, advice?: string): TsboxError {
  const shown = `the credential helper docker-credential-${name.slice(0, 60)}: ${message}`;
  return new TsboxError('CREDENTIAL_HELPER', shown, advice === undefined ? {} : { advice });
}

const OUTPUT = 64 * 1024;
