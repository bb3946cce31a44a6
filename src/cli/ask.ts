import type { ReadStream } from 'node:tty';
import { print } from './output.ts';

/**
 * Asks a person at the terminal that standard input is.
 *
 * @param options.hidden does not show what is typed
 * @returns undefined where they end the input instead (Ctrl-D), or it ends
 */
export async function ask(prompt: string, options: { hidden?: boolean } = {}): Promise<string | undefined> {
  const { stdin } = process;
  const hidden = options.hidden === true;
  // Before the prompt: who sees it may type at once. Node itself leaves raw mode when the process exits.
  if (hidden) stdin.setRawMode(true);
  print(prompt);
  try {
    return await readLine(stdin, hidden);
  } finally {
    stdin.pause();
    if (hidden) {
      stdin.setRawMode(false);
      print('\n');
    }
  }
}

function readLine(stdin: ReadStream, raw: boolean): Promise<string | undefined> {
  return new Promise((resolve) => {
    let line: string[] = [];
    const end = (result: string | undefined) => {
      stdin.off('data', take).off('end', give).off('error', give);
      resolve(result);
    };
    const give = () => end(undefined);
    const take = (text: string) => {
      // By characters, so that erasing takes away a whole one.
      for (const character of text) {
        if (character === '\r' || character === '\n') return end(line.join(''));
        if (!raw) line.push(character);
        else if (character === CTRL_C) {
          stdin.setRawMode(false);
          process.kill(process.pid, 'SIGINT');
          return;
        } else if (character === CTRL_D) {
          if (line.length === 0) return end(undefined);
        } else if (character === CTRL_U) line = [];
        else if (character === DELETE || character === BACKSPACE) line.pop();
        else line.push(character);
      }
    };
    stdin.setEncoding('utf8').on('data', take).on('end', give).on('error', give).resume();
  });
}

const CTRL_C = '\x03';
const CTRL_D = '\x04';
const BACKSPACE = '\x08';
const CTRL_U = '\x15';
const DELETE = '\x7f';
