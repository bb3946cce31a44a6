/**
 * `tsbox-oci` beside runc and crun: its verbs on the same bundle, with the configuration, filter and limits that Docker gives; and podman with each
 * of them. A part of `npm run bench`; alone:
 *
 *   node bench/oci.mjs [--rounds 25] [--write]
 *
 * writes its section of docs/performance.md (`--write`) or prints it. Needs root, and `npm run build` before.
 */
import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { formatOci, HEADING } from './oci-report.mjs';
import { inPlace } from './place.mjs';
import { prepareBench, root } from './setup.mjs';
import { timeProcess } from './starts.mjs';
import { writeSection } from './write-section.mjs';

export { HEADING };

/** The package's, and the single executable's, where that has been built (`npm run build:sea`). */
const OURS = 'tsbox-oci';
const EXECUTABLE = 'tsbox-oci, executable';

/** As the others rest: what is taken apart after a container should not be paid for by the next. */
const REST = 100;

/** @returns the section, in Markdown */
export async function ociSection(setup, { rounds = 25 } = {}) {
  const bundles = ourBundles(setup);
  const runtimes = [
    { name: OURS, start: [join(root, 'dist', 'tsbox-oci.cjs')], bundles: bundles.ours },
    { name: EXECUTABLE, start: [join(root, 'dist', 'sea', 'tsbox-oci')], bundles: bundles.ours },
    { name: 'runc', start: ['runc'], bundles: bundles.theirs },
    { name: 'crun', start: ['crun'], bundles: bundles.theirs },
  ].filter(({ start }) => installed(start[0]));
  const times = {};
  const note = (name, milliseconds, round) => {
    if (round < 0) return;
    times[name] ??= [];
    times[name].push(milliseconds);
  };
  let memory;
  // From the fourth time on there is a kept plan.
  for (let round = -4; round < rounds; round++) {
    for (const { name, start, bundles: own } of runtimes) {
      const all = [...start, '--root', join(setup.directory, `oci-${name}`)];
      const id = newId();
      let sum = 0;
      for (const verb of [
        ['create', '-b', own.sleep, id],
        ['state', id],
        ['start', id],
        ['kill', id, 'KILL'],
        ['delete', '-f', id],
      ]) {
        // Beside each of ours: what it takes more than an empty Node is asked at the same moment.
        const node = name === OURS ? await timeVerb([process.execPath, '-e', '0']) : undefined;
        const took = await timeVerb([...all, ...verb]);
        note(`${name} ${verb[0]}`, took, round);
        if (node !== undefined) {
          note('node -e 0', node, round);
          note(`over ${verb[0]}`, took - node, round);
        }
        if (['create', 'start', 'delete'].includes(verb[0])) sum += took;
        if (verb[0] === 'create' && name === OURS) memory = pssOf(all, id);
      }
      note(`${name} create, start, delete`, sum, round);
      await sleep(REST);
      note(`${name} run`, await timeVerb([...all, 'run', '-b', own.program, newId()]), round);
      await sleep(REST);
    }
  }
  const podman = await measurePodman(setup, runtimes, rounds);
  return formatOci({
    rounds,
    times,
    memory,
    podman,
    runtimes: runtimes.map(({ name }) => name),
    limited: setup.limited,
  });
}

/** The same, but without the limits for ours where cgroup v1 has the controllers: it uses v2 only. */
function ourBundles(setup) {
  const theirs = { sleep: setup.sleepBundle, program: setup.bundle };
  if (setup.limited) return { ours: theirs, theirs };
  const without = (bundle) => {
    const copy = `${bundle}-unlimited`;
    spawnSync('mkdir', ['-p', copy]);
    const config = JSON.parse(readFileSync(join(bundle, 'config.json'), 'utf8'));
    const { devices } = config.linux.resources;
    config.linux.resources = { ...(devices && { devices }) };
    writeFileSync(join(copy, 'config.json'), JSON.stringify(config));
    return copy;
  };
  return { ours: { sleep: without(theirs.sleep), program: without(theirs.program) }, theirs };
}

/** As engines make them up. */
function newId() {
  return randomBytes(32).toString('hex');
}

/** The container has what it is given as its streams, so that is nothing. */
function timeVerb(command) {
  const began = performance.now();
  const { status } = spawnSync(command[0], command.slice(1), { stdio: 'ignore' });
  if (status !== 0) throw new Error(`${command.join(' ')} gave ${status}`);
  return performance.now() - began;
}

/** KiB of a container that waits. */
function pssOf(start, id) {
  const { stdout } = spawnSync(start[0], [...start.slice(1), 'state', id], { encoding: 'utf8' });
  const { pid } = JSON.parse(stdout);
  return Number(/^Pss:\s*(\d+)/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'))[1]);
}

/**
 * By runtime: milliseconds of `podman run --rm`. crun 1.8 refuses hybrid hosts under podman: then it is left out. Podman writes the mounts of a container in an order that Go
 * chooses anew each time, one of a few; for ours there is a kept plan once it has seen each four times.
 */
async function measurePodman(setup, runtimes, rounds) {
  if (!installed('podman')) return undefined;
  // Whose first line asks for Node finds this one.
  process.env.PATH = `${dirname(process.execPath)}:${process.env.PATH}`;
  const podmanWith = (program) => [
    ...['podman', '--cgroup-manager', 'cgroupfs', '--runtime', program, 'run', '--rm'],
    ...['--network=none', '--log-driver=k8s-file'],
    ...['--ulimit', 'nofile=1024:1024', '--ulimit', 'nproc=1024:1024'],
    ...['--security-opt', `seccomp=${setup.profile}`, '--rootfs', `${setup.rootfs}:O`, 'true'],
  ];
  const times = {};
  for (const { name, start } of runtimes) {
    const warmUp = name.startsWith(OURS) ? 40 : 4;
    for (let time = 0; time < warmUp; time++)
      await timeProcess(podmanWith(pathOf(start[0]))).catch(() => undefined);
  }
  for (let round = 0; round < rounds; round++) {
    for (const { name, start } of runtimes) {
      const took = await timeProcess(podmanWith(pathOf(start[0]))).catch(() => undefined);
      if (took !== undefined) {
        times[name] ??= [];
        times[name].push(took);
      }
      await sleep(REST);
    }
  }
  return times;
}

function pathOf(name) {
  return name.includes('/')
    ? name
    : spawnSync('sh', ['-c', `command -v ${name}`], { encoding: 'utf8' }).stdout.trim();
}

function installed(name) {
  return name.includes('/') ? existsSync(name) : spawnSync('sh', ['-c', `command -v ${name}`]).status === 0;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { values } = parseArgs({
    options: { rounds: { type: 'string', default: '25' }, write: { type: 'boolean', default: false } },
  });
  process.exitCode = await inPlace(async (directory) => {
    const tar = join(root, 'dist', 'images', `busybox-linux-${process.arch}.tar`);
    const section = await ociSection(await prepareBench(directory, tar), { rounds: Number(values.rounds) });
    console.log(section);
    if (values.write) writeSection(HEADING, section);
    return 0;
  });
}
