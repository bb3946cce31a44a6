import type { SpawnSyncReturns } from 'node:child_process';
import { accessSync, constants, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { closeDescriptor, cString, syscall, TsboxError } from '../../kernel/index.ts';
import type { Command } from './json.ts';
import { tableCommands } from './table.ts';

/**
 * Has nft carry out commands in one transaction: all of them, or none.
 *
 * @param trying for the message: "publish ports"
 * @throws {TsboxError} NO_NFT where there is none, NFT_FAILED with what it said
 */
export function commit(commands: readonly Command[], trying: string): void {
  const problem = runNft(['--json', '--file', '-'], commands);
  if (problem === undefined) return;
  throw new TsboxError('NFT_FAILED', `cannot ${trying}: nft: ${problem}`, {
    advice: 'see what `tsbox doctor` says of nftables',
  });
}

/** What is wrong with making our table in this thread's namespace; undefined where all is well. nft has the kernel check it, and makes nothing. */
export function checkRules(): string | undefined {
  try {
    return runNft(['--check', '--json', '--file', '-'], tableCommands());
  } catch (error) {
    return (error as Error).message;
  }
}

/** Its directory is often not in PATH for those who became root by su(1). */
export function findNft(): string | undefined {
  const directories = [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/sbin', '/usr/local/sbin'];
  return directories
    .filter((path) => path.startsWith('/'))
    .map((path) => join(path, 'nft'))
    .find(isProgram);
}

function runNft(args: string[], commands: readonly Command[]): string | undefined {
  const program = findNft();
  if (program === undefined) {
    throw new TsboxError('NO_NFT', 'networks with bridges need the program nft, and it is not installed', {
      advice: 'install the package nftables, or use --network none or host',
    });
  }
  // Not imported: it takes Node 5 ms to load, and hardly a start needs nft.
  const { spawnSync } = process.getBuiltinModule('node:child_process');
  const input = memoryFile(JSON.stringify({ nftables: commands }));
  try {
    return outcome(
      spawnSync(program, args, {
        stdio: [input, 'ignore', 'pipe'],
        encoding: 'utf8',
        env: { PATH: process.env.PATH, LC_ALL: 'C' },
        timeout: 60_000,
        maxBuffer: 1 << 22,
      }),
    );
  } finally {
    closeDescriptor(input);
  }
}

/** What Node connects as standard input is a socket, and nft opens it by its name, /dev/stdin, as no socket can be. */
function memoryFile(text: string): number {
  const fd = syscall('memfd_create', [cString('tsbox-nft'), MFD_CLOEXEC], { doing: 'hand rules to nft' });
  writeFileSync(fd, text);
  return fd;
}

function outcome({ error, status, signal, stderr }: SpawnSyncReturns<string>): string | undefined {
  if (status === 0) return undefined;
  if (error) return error.message;
  return firstLine(stderr) ?? (signal === null ? `exit code ${status}` : `killed by ${signal}`);
}

/** `internal:0:0-0: Error: Could not process rule: Operation not supported`, without what is before the error, which is about no file. */
function firstLine(stderr: string): string | undefined {
  const line = stderr.split('\n').find((line) => line.includes('Error')) ?? stderr.split('\n')[0] ?? '';
  const text = line
    .replace(/^.*?Error: /, '')
    .replace(/[^\x20-\x7e]/g, '?')
    .slice(0, 300);
  return text.trim() === '' ? undefined : text;
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

const MFD_CLOEXEC = 1;
