/**
 * Containers that live on: starting them, entering them, listing them, and what stays beside them. A part of `npm run bench`; alone:
 *
 *   node bench/life.mjs [--rounds 15] [--many 1000] [--write]
 *
 * writes its section of docs/performance.md (`--write`) or prints it. Needs root, and `npm run build` before.
 */
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { startEnter } from './enter.mjs';
import { FROM_PROGRAM, formatLife, HEADING } from './life-report.mjs';
import { inPlace } from './place.mjs';
import { prepareBench, root } from './setup.mjs';
import { nextId, timeProcess } from './starts.mjs';
import { writeSection } from './write-section.mjs';

export { HEADING };

const FOR_EVER = ['sleep', '1000000'];
const ALONE = { network: 'none' };

/** @returns the section, in Markdown */
export async function lifeSection(setup, { rounds = 15, many = 1000 } = {}) {
  const { library, image } = setup;
  const results = { rounds, many };
  const started = [];
  try {
    results.commands = await measureCommands(setup, rounds);
    results.exec = await measureExec(setup, rounds * 4);
    results.starts = [];
    results.lists = {};
    for (const count of [1, 100, many].filter((each) => each <= many)) {
      while (started.length < count) {
        const began = performance.now();
        started.push(await library.runDetached(image, FOR_EVER, ALONE));
        results.starts.push(performance.now() - began);
        if (started.length === 20) results.few = beside('tsbox-monitor', 20);
      }
      results.lists[count] = await measureLists(rounds);
    }
    results.all = beside('tsbox-monitor', many);
    results.late = await measureCommands(setup, rounds, ['tsbox run -d']);
    results.podman = await measurePodman(setup, Math.ceil(rounds / 3));
  } finally {
    for (const each of started) await each.remove({ force: true });
  }
  return formatLife(results);
}

function tsbox(...args) {
  return [process.execPath, join(root, 'dist', 'tsbox.cjs'), ...args];
}

/** `run -d` and `exec` as commands, each contender once a round; what was started is removed in between, which does not count. */
async function measureCommands(setup, rounds, only) {
  const contenders = [
    { name: 'node -e 0', run: () => [process.execPath, '-e', '0'] },
    {
      name: 'tsbox run -d',
      run: (id) => tsbox('run', '-d', '--network', 'none', '--name', id, setup.image, ...FOR_EVER),
      exec: (id) => tsbox('exec', id, 'true'),
      remove: (id) => tsbox('rm', '-f', id),
    },
    ...['crun', 'runc'].map((program) => ({
      name: `${program} run -d`,
      run: (id) => [program, 'run', '--detach', '-b', setup.sleepBundle, id],
      exec: (id) => [program, 'exec', id, 'true'],
      remove: (id) => [program, 'delete', '-f', id],
    })),
    {
      name: 'podman run -d',
      slow: true,
      run: (id) => podmanRun(setup, id),
      exec: (id) => ['podman', 'exec', id, 'true'],
      remove: (id) => ['podman', 'rm', '-f', '-t', '0', id],
    },
  ].filter(({ name, run }) => (only === undefined || only.includes(name)) && installed(run('x')[0]));
  const times = {};
  const note = (name, milliseconds) => {
    times[name] ??= [];
    times[name].push(milliseconds);
  };
  for (let round = -1; round < rounds; round++) {
    if (only === undefined) {
      const began = performance.now();
      const box = await setup.library.runDetached(setup.image, FOR_EVER, ALONE);
      if (round >= 0) note(FROM_PROGRAM, performance.now() - began);
      await box.remove({ force: true });
    }
    for (const { name, run, exec, remove, slow } of contenders) {
      if (slow && round > rounds / 3) continue;
      const id = nextId();
      const start = await timeProcess(run(id));
      if (round >= 0) note(name, start);
      if (!exec) continue;
      const inside = await timeProcess(exec(id));
      if (round >= 0) note(name.replace('run -d', 'exec'), inside);
      await timeProcess(remove(id));
    }
  }
  return times;
}

function podmanRun(setup, id) {
  return [
    ...['podman', 'run', '-d', '--name', id, '--network=none', '--log-driver=k8s-file'],
    ...['--ulimit', 'nofile=1024:1024', '--ulimit', 'nproc=1024:1024'],
    ...['--security-opt', `seccomp=${setup.profile}`, '--rootfs', `${setup.rootfs}:O`, ...FOR_EVER],
  ];
}

/** From this program, to the end of `true`: the library, and the C program on the same container. */
async function measureExec({ library, image, enter }, rounds) {
  const box = await library.runDetached(image, FOR_EVER, ALONE);
  const { pid, cgroup } = box.record();
  const floor = startEnter(enter, [String(pid), join(cgroup, 'cgroup.procs'), '/bin/true']);
  const times = { tsbox: [], c: [] };
  for (let round = -5; round < rounds; round++) {
    const began = performance.now();
    const inside = await box.exec(['true'], { stdin: 'ignore', stdout: 'ignore', stderr: 'ignore' });
    const { code } = await inside.wait();
    if (code !== 0) throw new Error(`exec gave ${code}`);
    const took = performance.now() - began;
    const c = await floor.time();
    if (round < 0) continue;
    times.tsbox.push(took);
    times.c.push(c);
  }
  floor.end();
  await box.remove({ force: true });
  return times;
}

async function measureLists(rounds) {
  const times = { 'node -e 0': [], ps: [], 'ps -q': [], stats: [] };
  const empty = [process.execPath, '-e', '0'];
  for (let round = -1; round < rounds; round++) {
    const measured = {
      'node -e 0': await timeProcess(empty),
      ps: await timeProcess(tsbox('ps')),
      'ps -q': await timeProcess(tsbox('ps', '-q')),
      // It measures for a second.
      stats: round % 5 === 0 ? await timeProcess(tsbox('stats', '--no-stream')) : undefined,
    };
    if (round < 0) continue;
    for (const name in measured) if (measured[name] !== undefined) times[name].push(measured[name]);
  }
  return times;
}

/** With twenty containers: podman would take minutes for a thousand. */
async function measurePodman(setup, rounds) {
  if (!installed('podman')) return undefined;
  const ids = Array.from({ length: 20 }, nextId);
  const result = { ps: [], stats: [] };
  try {
    for (const id of ids) await timeProcess(podmanRun(setup, id));
    result.memory = beside('conmon', 20);
    for (let round = 0; round < rounds; round++) {
      result.ps.push(await timeProcess(['podman', 'ps']));
      if (round < 3) result.stats.push(await timeProcess(['podman', 'stats', '--no-stream']));
    }
  } finally {
    spawnSync('podman', ['rm', '-f', '-t', '0', ...ids], { stdio: 'ignore' });
  }
  return result;
}

/** KiB of proportional set size for each container, of the processes of that name that started last. */
function beside(name, count) {
  const sizes = readdirSync('/proc')
    .filter((pid) => /^\d+$/.test(pid))
    .flatMap((pid) => {
      try {
        if (readFileSync(`/proc/${pid}/comm`, 'utf8').trim() !== name) return [];
        return [Number(/^Pss:\s*(\d+)/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'))[1])];
      } catch {
        return []; // it has just ended
      }
    });
  if (sizes.length < count) throw new Error(`${sizes.length} processes ${name} for ${count} containers`);
  return sizes.reduce((sum, size) => sum + size, 0) / sizes.length;
}

function installed(program) {
  return program.includes('/') || spawnSync('sh', ['-c', `command -v ${program}`]).status === 0;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { values } = parseArgs({
    options: {
      rounds: { type: 'string', default: '15' },
      many: { type: 'string', default: '1000' },
      write: { type: 'boolean', default: false },
    },
  });
  process.exitCode = await inPlace(async (directory) => {
    const setup = await prepareBench(
      directory,
      join(root, 'dist', 'images', `busybox-linux-${process.arch}.tar`),
    );
    const section = await lifeSection(setup, { rounds: Number(values.rounds), many: Number(values.many) });
    console.log(section);
    if (values.write) writeSection(HEADING, section);
    return 0;
  });
}
