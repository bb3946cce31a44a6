import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Runs `bench(directory)` where all contenders work, with a store of its own in that directory, which is removed afterwards. @returns the exit code */
export async function inPlace(bench) {
  // It would have Node 20 parse a hundred certificates at each start, 80 ms.
  delete process.env.NODE_EXTRA_CA_CERTS;
  const inside = process.env.TSBOX_BENCH_DIRECTORY;
  return inside === undefined ? enter() : bench(inside);
}

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
