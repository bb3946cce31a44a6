/**
 * `npm run bench`: tsbox beside crun, runc, bubblewrap and podman (those that are installed), on the same root filesystem, with the
 * same OCI configuration and seccomp profile; then pulling an image (pull.mjs). Writes docs/performance.md. Needs root, and `npm run build` before.
 *
 *   --rounds N    interleaved rounds of single starts (25)
 *   --starts N    starts one after another (1000; a tenth of it for podman)
 *   --tar FILE    the root filesystem: a tar in any form that tsbox imports (the embedded busybox)
 *   --output FILE (docs/performance.md)
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { findContenders } from './contenders.mjs';
import { startFloor } from './floor.mjs';
import { measureMemory } from './memory.mjs';
import { HEADING, pullSection } from './pull.mjs';
import { report } from './report.mjs';
import { prepareBench, root } from './setup.mjs';
import { measureCommands, measureMany, measureProgram } from './starts.mjs';

const number = (value) => {
  if (!/^[1-9]\d*$/.test(value)) throw new Error(`not a number of starts: ${value}`);
  return Number(value);
};
const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '25' },
    starts: { type: 'string', default: '1000' },
    tar: { type: 'string', default: join(root, 'dist', 'images', `busybox-linux-${process.arch}.tar`) },
    output: { type: 'string', default: join(root, 'docs', 'performance.md') },
  },
});
const rounds = number(values.rounds);
const starts = number(values.starts);

// It would have Node 20 parse a hundred certificates at each start, 80 ms.
delete process.env.NODE_EXTRA_CA_CERTS;
const inside = process.env.TSBOX_BENCH_DIRECTORY;
process.exitCode = inside === undefined ? enter() : await bench(inside);

/**
 * Runs this again, on a host with both versions of cgroups in a mount namespace where v2 is at another place: crun 1.8 refuses
 * to run where it finds v2's controllers at /sys/fs/cgroup/unified, and tsbox finds v2 anywhere.
 */
function enter() {
  const directory = mkdtempSync(join(tmpdir(), 'tsbox-bench-'));
  const self = [process.execPath, ...process.argv.slice(1)];
  const move = 'mkdir "$0" && mount --move /sys/fs/cgroup/unified "$0" && exec "$@"';
  const namespace = ['unshare', '--mount', '--propagation', 'private', 'sh', '-c', move];
  const command = existsSync('/sys/fs/cgroup/unified')
    ? [...namespace, join(directory, 'cgroup2'), ...self]
    : self;
  const env = { ...process.env, TSBOX_BENCH_DIRECTORY: directory, TSBOX_ROOT: join(directory, 'store') };
  try {
    return spawnSync(command[0], command.slice(1), { stdio: 'inherit', env }).status ?? 1;
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

async function bench(directory) {
  const setup = await prepareBench(directory, values.tar);
  const contenders = findContenders(setup);
  console.error(`${contenders.map(({ name }) => name).join(', ')}: ${rounds} rounds, ${starts} starts`);
  const floor = startFloor(setup);
  const program = await measureProgram(contenders, { floor, setup }, rounds);
  floor.end();
  const commands = await measureCommands(contenders, rounds);
  const many = await measureMany(contenders, setup, starts);
  const memory = await measureMemory(contenders, setup);
  const starting = report({ setup, contenders, rounds, starts, commands, program, many, memory });
  const pulling = await pullSection().catch((error) => `${HEADING}\n\nNot measured: ${error.message}\n`);
  writeFileSync(values.output, `${starting}\n${pulling}`);
  console.error(`wrote ${values.output}`);
  return 0;
}
