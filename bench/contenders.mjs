import { execFileSync } from 'node:child_process';
import { existsSync, openSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { limits, root } from './setup.mjs';

/**
 * Who is measured.
 *
 * `command(id, sleep)` is the command line that runs `true` (or `sleep 60`) in a new container; `given` says what of tsbox's work it does.
 */
export function findContenders(setup) {
  const groups = setup.hybrid ? 'groups of cgroup v1' : 'a cgroup';
  const limitFlags = setup.limited ? limits : [];
  const tsbox = (start) => (_id, sleep) => [
    ...start,
    ...['run', '--rm', '--network', 'none', ...limitFlags, setup.image],
    ...program(sleep),
  ];
  const bundle = (sleep) => (sleep ? setup.sleepBundle : setup.bundle);
  const ours = `overlay; --network none, seccomp, cgroup v2 with device rules${setup.limited ? ', limits' : '; no limits: cgroup v1 has the controllers'}`;
  const all = [
    { name: 'tsbox', given: ours, command: tsbox([process.execPath, join(root, 'dist', 'tsbox.cjs')]) },
    {
      name: 'tsbox (single executable)',
      given: ours,
      absent: setup.executable === undefined,
      command: tsbox([setup.executable]),
    },
    {
      name: 'crun',
      given: `no overlay; same configuration and seccomp, ${groups}, limits`,
      command: (id, sleep) => ['crun', 'run', '-b', bundle(sleep), id],
    },
    {
      name: 'crun, no cgroup',
      given: 'no overlay, no cgroup, no limits; same configuration and seccomp',
      command: (id, sleep) => ['crun', '--cgroup-manager=disabled', 'run', '-b', bundle(sleep), id],
    },
    {
      name: 'runc',
      given: `no overlay; same configuration and seccomp, ${groups}, limits`,
      command: (id, sleep) => ['runc', 'run', '-b', bundle(sleep), id],
    },
    {
      name: 'bwrap',
      given: 'no overlay, no cgroup, no limits, few mounts; same seccomp filter',
      command: (_id, sleep) => [
        ...['bwrap', '--unshare-all', '--bind', setup.rootfs, '/', '--proc', '/proc', '--dev', '/dev'],
        ...['--die-with-parent', '--seccomp', '3', ...program(sleep)],
      ],
      // bwrap reads it to its end, so each start needs it from the beginning.
      fourth: () => openSync(setup.filter),
    },
    {
      name: 'podman',
      given: `overlay; --network=none, same seccomp profile, ${groups}, limits`,
      slow: true,
      command: (id, sleep) => [
        ...['podman', 'run', '--rm', '--name', id, '--network=none'],
        // Its own defaults are above what a root without CAP_SYS_RESOURCE may set.
        ...['--ulimit', 'nofile=1024:1024', '--ulimit', 'nproc=1024:1024'],
        ...['--security-opt', `seccomp=${setup.profile}`, ...limits, '--rootfs', `${setup.rootfs}:O`],
        ...program(sleep),
      ],
    },
  ];
  return all
    .filter(({ absent, command }) => !absent && isInstalled(command('x')[0]))
    .map((contender) => ({ ...contender, version: version(contender.command('x')) }));
}

function program(sleep) {
  return sleep ? ['sleep', '60'] : ['true'];
}

function isInstalled(name) {
  return name.includes('/') || process.env.PATH.split(delimiter).some((path) => existsSync(join(path, name)));
}

function version([name, ...args]) {
  const own = args[0]?.endsWith('tsbox.cjs') ? [args[0]] : [];
  const text = execFileSync(name, [...own, '--version'], { encoding: 'utf8' });
  return text.split('\n')[0].replace(/^.*?(?=\d)/, '');
}
