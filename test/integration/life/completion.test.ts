import { spawnSync } from 'node:child_process';
import { symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { cli, describeRoot, environment, image, scratch } from '../support/tsbox.ts';
import { said } from './support.ts';

const has = (shell: string) => spawnSync(shell, ['-c', 'exit 0']).status === 0;
const titled = (shell: string, title: string) =>
  has(shell) ? title : `${title} (skipped: ${shell} is not installed: scripts/setup --test)`;

/** The shells themselves, with what `tsbox completion` gives them and the real command behind it. */
describeRoot('Tab in a shell', () => {
  const directory = scratch();
  const shells = ['bash', 'zsh', 'fish'];
  beforeAll(() => {
    symlinkSync(cli, join(directory, 'tsbox'));
    for (const shell of shells) writeFileSync(join(directory, shell), `${said('completion', shell)}\n`);
    said('create', '--name', 'tab-one', image, 'true');
    said('create', '--name', 'tab-two', image, 'true');
    said('volume', 'create', 'tab-volume');
  });
  afterAll(() => {
    said('rm', 'tab-one', 'tab-two');
    said('volume', 'rm', 'tab-volume');
  });

  function ask(shell: string, args: readonly string[]): string[] {
    const PATH = `${directory}:${environment().PATH}`;
    const env = { ...environment(), PATH, HOME: directory, TERM: 'dumb' };
    const { stdout, stderr, error } = spawnSync(shell, args, { env, encoding: 'utf8', timeout: 30_000 });
    if (error) throw error;
    expect(stderr).toBe('');
    return stdout.split('\n').filter((line) => line !== '');
  }

  /** What is completed where the cursor is at the end of a line. */
  const asked: Record<string, (line: string) => string[]> = {
    bash: (line) => {
      const script = `source ${directory}/bash; COMP_LINE='${line}'; COMP_POINT=\${#COMP_LINE}; _tsbox; printf '%s\\n' "\${COMPREPLY[@]}"`;
      return ask('bash', ['--norc', '-c', script]);
    },
    fish: (line) => ask('fish', ['--no-config', '-c', `source ${directory}/fish; complete -C '${line}'`]),
  };

  for (const shell of ['bash', 'fish']) {
    const at = (line: string) => asked[shell]?.(line);
    test.skipIf(!has(shell))(titled(shell, `${shell}: commands, containers, images and volumes`), () => {
      expect(at('tsbox rena')).toEqual(['rename']);
      expect(at('tsbox rm tab-')).toEqual(['tab-one', 'tab-two']);
      expect(at('tsbox rm tab-one ')).toContain('tab-two');
      expect(at('tsbox start ')).toEqual(['tab-one', 'tab-two']);
      expect(at('tsbox volume inspect tab')).toEqual(['tab-volume']);
      expect(at(`tsbox run --rm ${image.slice(0, 3)}`)).toEqual([image, `${image}:latest`]);
      expect(at('tsbox cp tab-o')).toEqual(['tab-one:']);
      // Where it knows nothing, bash is told so by an empty answer, and completes files by itself.
      expect(at('tsbox import /usr/bi')).toEqual(shell === 'bash' ? [] : ['/usr/bin/']);
      expect(at(`tsbox rmi ${image}:la`)).toEqual([shell === 'bash' ? 'latest' : `${image}:latest`]);
    });
  }

  test.skipIf(!has('zsh'))(titled('zsh', 'zsh: the line is completed as it is typed'), () => {
    // Its completion runs in its line editor only, which wants a terminal: zsh brings one.
    const script = `
      zmodload zsh/zpty
      zpty shell zsh -f -i
      typed() { zpty -n -w shell $1; zpty -r -m shell shown "*$2*" && print -r -- \${\${shown##*tsbox}%%[^a-z0-9: -]*} }
      zpty -w shell 'PS1="> "; autoload -U compinit && compinit -u -D && source ${directory}/zsh && echo rea""dy'
      zpty -r -m shell shown '*ready*'
      typed $'tsbox rena\\t' 'tsbox rename'
      typed $'\\x15tsbox rm tab-o\\t' 'tsbox rm tab-one'
      typed $'\\x15tsbox volume rm ta\\t' 'tsbox volume rm tab-volume'
      typed $'\\x15tsbox rmi ${image}:la\\t' 'tsbox rmi ${image}:latest'
      zpty -d shell`;
    expect(ask('zsh', ['-f', '-c', script]).map((line) => line.trim())).toEqual([
      'rename',
      'rm tab-one',
      'volume rm tab-volume',
      `rmi ${image}:latest`,
    ]);
  });
});
