import { spawn, spawnSync } from 'node:child_process';
import { closeSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

/** Rounds that are not counted: files get into the page cache, and V8 compiles what is hot. */
const WARM_UP = 3;

let ids = 0;

/** Runs the command line to its end; milliseconds. */
export function timeProcess(command, fourth) {
  const fd = fourth?.();
  // Not inherited, and not Node's `pipe`, which is a socket: what has to be copied (into a terminal, a file, a socket) takes tsbox 11 ms that the others, who hand it
  // to the program, do not pay.
  const stdio = ['ignore', 'ignore', 'ignore', ...(fd === undefined ? [] : [fd])];
  return new Promise((resolve, reject) => {
    const began = performance.now();
    const child = spawn(command[0], command.slice(1), { stdio });
    if (fd !== undefined) closeSync(fd);
    child.once('error', reject);
    child.once('exit', (code) => {
      if (code === 0) return resolve(performance.now() - began);
      // Once more, to hear why.
      const { stderr } = spawnSync(command[0], command.slice(1), { encoding: 'utf8', timeout: 10_000 });
      reject(new Error(`${command.join(' ')} gave ${code}: ${stderr}`));
    });
  });
}

export function timeContender({ command, fourth }) {
  return timeProcess(command(nextId()), fourth);
}

export function nextId() {
  return `tsbox-bench-${process.pid}-${ids++}`;
}

export const NODE = { name: 'node -e 0', command: () => [process.execPath, '-e', '0'] };

/** `true` as a command, each contender once a round, and `node -e 0` as the floor of everything in Node. By name: the milliseconds of each round. */
export async function measureCommands(contenders, rounds) {
  return interleave([NODE, ...contenders], rounds, async (contender) => ({
    [contender.name]: await timeContender(contender),
  }));
}

/**
 * A start from this running program: the library's `run()` to the exec and `run().wait()` to the end, the C program with the same
 * system calls, and the others' commands as child processes.
 */
export async function measureProgram(contenders, { floor, setup }, rounds) {
  const others = contenders.filter(({ name }) => !name.startsWith('tsbox'));
  const library = async () => {
    const { exec, end } = await startInProgram(setup);
    return { exec, end };
  };
  const c = async () => {
    const { exec, end } = await floor.start();
    return { 'C, exec': exec, 'C, end': end };
  };
  const commands = others.map((contender) => async () => ({
    [contender.name]: await timeContender(contender),
  }));
  return interleave([library, c, ...commands], rounds, (measure) => measure());
}

/** `run().wait()` in this process. */
export async function startInProgram({ library, image, options }) {
  const began = performance.now();
  const box = await library.run(image, ['true'], {
    ...options,
    stdin: 'ignore',
    stdout: 'ignore',
    stderr: 'ignore',
  });
  const exec = performance.now() - began;
  const { code } = await box.wait();
  if (code !== 0) throw new Error(`true gave ${code}`);
  return { exec, end: performance.now() - began };
}

/** `starts` one after another, and 200 four at a time: milliseconds a start, and how many of them failed. A tenth of them for who is slow. */
export async function measureMany(contenders, setup, starts) {
  const library = { name: 'tsbox, run() in a Node program', start: () => startInProgram(setup) };
  const all = [library, ...contenders.map((one) => ({ ...one, start: () => timeContender(one) }))];
  const sequence = {};
  const parallel = {};
  for (const { name, slow, start } of all) {
    const share = slow ? 10 : 1;
    sequence[name] = await each(Math.ceil(starts / share), 1, start);
    parallel[name] = await each(Math.ceil(200 / share), 4, start);
  }
  return { sequence, parallel };
}

/** Milliseconds a start, of `count` starts `width` at a time. Starts side by side fail now and then (crun 1.8), which is worth knowing. */
async function each(count, width, start) {
  let left = count;
  let failed = 0;
  const began = performance.now();
  const worker = async () => {
    while (left-- > 0) await start().catch(() => failed++);
  };
  await Promise.all(Array.from({ length: width }, worker));
  return { milliseconds: (performance.now() - began) / count, failed, count };
}

/**
 * Milliseconds between two measurements: the kernel takes namespaces apart, and podman cleans up, when the command has ended, and the
 * next in turn should not pay for it.
 */
const REST = 100;

/** Everything once a round, so that what disturbs the machine disturbs all. */
async function interleave(subjects, rounds, measure) {
  const results = {};
  for (let round = -WARM_UP; round < rounds; round++) {
    for (const subject of subjects) {
      const measured = await measure(subject);
      await sleep(REST);
      if (round < 0) continue;
      for (const [name, value] of Object.entries(measured)) {
        results[name] ??= [];
        results[name].push(value);
      }
    }
  }
  return results;
}
