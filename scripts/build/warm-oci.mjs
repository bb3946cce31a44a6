import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './files.mjs';

/**
 * The code caches of `tsbox-oci`: one for each verb that engines ask for with every container, with the functions that it needs for what
 * they give it, and one for the rest.
 *
 * @param directory where all that is made goes
 */
export function warmOci(directory) {
  const bundle = join(directory, 'bundle');
  const rootfs = join(bundle, 'rootfs');
  mkdirSync(rootfs, { recursive: true });
  const env = { ...process.env, TSBOX_ROOT: directory };
  const oci = (...args) =>
    spawnSync(
      process.execPath,
      [join(root, 'dist/tsbox-oci.cjs'), '--root', join(directory, 'oci'), ...args],
      { cwd: bundle, env, stdio: 'ignore', timeout: 60_000 },
    );
  const image = join(root, 'dist', 'images', `busybox-linux-${process.arch}.tar`);
  if (spawnSync('tar', ['-xf', image, '-C', rootfs]).status !== 0) return;
  const write = (config) => writeFileSync(join(bundle, 'config.json'), JSON.stringify(config));
  oci('spec');
  const config = asEngines(JSON.parse(readFileSync(join(bundle, 'config.json'), 'utf8')), bundle);
  write(withProgram(config, 'true'));
  oci('run', 'tsbox-build');
  // That one has compiled the filter, which most find compiled.
  const cache = join(root, 'dist', 'cache');
  for (const name of readdirSync(cache)) if (name.startsWith('oci-')) rmSync(join(cache, name));
  oci('run', 'tsbox-build');
  write(withProgram(config, 'sleep', '60'));
  // The third one's plan is compared with the kept one, and the fourth is not planned.
  for (let time = 1; time <= 4; time++) {
    const id = randomBytes(32).toString('hex');
    if (time >= 3) env.TSBOX_CODE_CACHE = 'more';
    oci('create', '--pid-file', join(directory, 'pid'), id);
    delete env.TSBOX_CODE_CACHE;
    oci('delete', '--force', id);
  }
  oci('create', 'tsbox-build');
  oci('start', 'tsbox-build');
  oci('state', 'tsbox-build');
  oci('exec', 'tsbox-build', 'true');
  oci('kill', 'tsbox-build', 'KILL');
  oci('delete', '--force', 'tsbox-build');
}

/** What the sample has not, and containers of Podman and Docker have. */
function asEngines(config, bundle) {
  const { process, linux, mounts } = config;
  const file = join(bundle, 'hosts');
  writeFileSync(file, '');
  return {
    ...config,
    annotations: { 'org.opencontainers.image.stopSignal': '15' },
    process: {
      ...process,
      terminal: false,
      user: { uid: 0, gid: 0, umask: 0o22, additionalGids: [10] },
      rlimits: ['RLIMIT_NOFILE', 'RLIMIT_NPROC'].map((type) => ({ type, hard: 1024, soft: 1024 })),
      oomScoreAdj: 0,
    },
    mounts: [
      ...mounts,
      { destination: '/etc/hosts', type: 'bind', source: file, options: ['bind', 'rprivate', 'rw'] },
    ],
    linux: {
      ...linux,
      cgroupsPath: '/tsbox-oci/build',
      sysctl: { 'net.ipv4.ping_group_range': '0 0' },
      resources: {
        devices: [
          { allow: false, access: 'rwm' },
          { allow: true, type: 'c', major: 1, minor: 5, access: 'rwm' },
        ],
        // Podman's default, which is left out where cgroup v1 has the controller.
        pids: { limit: 2048 },
      },
      seccomp: SECCOMP,
    },
  };
}

function withProgram(config, ...args) {
  return { ...config, process: { ...config.process, args } };
}

/** With a part of each kind, and everything allowed that a container needs. */
const SECCOMP = {
  defaultAction: 'SCMP_ACT_ALLOW',
  architectures: ['SCMP_ARCH_X86_64', 'SCMP_ARCH_X86', 'SCMP_ARCH_AARCH64'],
  syscalls: [
    { names: ['ptrace'], action: 'SCMP_ACT_ERRNO', errnoRet: 1 },
    { names: ['personality'], action: 'SCMP_ACT_ERRNO', args: [{ index: 0, value: 8, op: 'SCMP_CMP_EQ' }] },
  ],
};
