import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

/** Starts bench/enter.c. Each `time()` gives the milliseconds of one entry, to the program's end. */
export function startEnter(program, args) {
  const child = spawn(program, args, { stdio: ['pipe', 'pipe', 'inherit'] });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return {
    async time() {
      child.stdin.write('\n');
      const { value, done } = await lines.next();
      if (done) throw new Error('bench/enter.c has failed');
      return Number(value);
    },
    end: () => child.stdin.end(),
  };
}
