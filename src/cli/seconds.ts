import { usageError } from './usage.ts';

/** `-t`, `--timeout` and its older name `--time` of `stop` and `restart`. */
export const seconds = {
  respell: (args: readonly string[]): string[] =>
    args.map((arg) => arg.replace(/^--time(?==|$)/, '--timeout')),

  read(command: string, text: string | undefined): { timeout?: number } {
    if (text === undefined) return {};
    if (!/^(-1|\d{1,9})$/.test(text))
      throw usageError(command, `--timeout ${JSON.stringify(text)}: not a number of seconds, or -1`);
    return { timeout: Number(text) };
  },
};
