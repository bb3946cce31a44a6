/**
 * Pulling one image of one layer and of five from Debian's docker-registry on this machine: `tsbox pull` beside podman, docker (where its
 * daemon runs), skopeo (which unpacks nothing), and what no program can beat by much: curl, gzip and tar in a pipe.
 *
 *   node bench/pull.mjs                   prints its section of docs/performance.md
 *   node bench/pull.mjs --write           and puts it there
 *   --rounds N       (3)
 *   --megabytes N    of files in the image (200)
 *   --memory         on a tmpfs instead of ext4: what the disk costs is left out
 *
 * Needs root, docker-registry, skopeo, curl and `npm run build`. Part of `npm run bench`.
 */
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { median } from './median.mjs';
import { makeImages } from './pull-images.mjs';
import { writeSection } from './write-section.mjs';

const root = join(import.meta.dirname, '..');

/** @returns the section, in Markdown */
export async function pullSection({ rounds = 3, megabytes = 200, memory = false } = {}) {
  const work = mkdtempSync(join(tmpdir(), 'tsbox-bench-pull-'));
  const disk = join(work, 'disk');
  mkdirSync(disk);
  const stop = [() => rmSync(work, { recursive: true, force: true })];
  try {
    stop.push(mountDisk(work, disk, memory));
    const registry = await startRegistry(work);
    stop.push(registry.stop);
    const images = makeImages(work, megabytes, registry.host);
    const docker = await startDocker(work, disk, registry.host);
    stop.push(docker.stop);
    execFileSync('cc', ['-O2', '-o', join(work, 'peak'), join(root, 'bench', 'peak.c')]);
    const contenders = findContenders({ disk, host: registry.host, docker });
    const results = {};
    for (const { name } of images) results[name] = measure(contenders, name, images, { work, disk, rounds });
    return format({ results, images, rounds, memory, docker, kind: diskKind(disk) });
  } finally {
    for (const each of stop.reverse()) await each();
  }
}

/** A file system of our own, so that what other work has left on the machine's does not count. */
function mountDisk(work, disk, memory) {
  const image = join(work, 'disk.img');
  if (memory) execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=4g', 'none', disk]);
  else {
    execFileSync('truncate', ['-s', '8G', image]);
    execFileSync('mkfs.ext4', ['-q', '-F', image]);
    execFileSync('mount', ['-o', 'loop', image, disk]);
  }
  return () => execFileSync('umount', ['-l', disk]);
}

function diskKind(disk) {
  return statfsSync(disk).type === 0x01021994 ? 'a tmpfs' : "ext4 in a file on this machine's disk";
}

async function startRegistry(work) {
  const config = join(work, 'registry.json');
  const port = 20_000 + (process.pid % 10_000);
  writeFileSync(
    config,
    JSON.stringify({
      version: '0.1',
      log: { level: 'error', accesslog: { disabled: true } },
      storage: { filesystem: { rootdirectory: join(work, 'registry') } },
      http: { addr: `127.0.0.1:${port}` },
    }),
  );
  const child = spawn('docker-registry', ['serve', config], {
    stdio: 'ignore',
    env: { ...process.env, OTEL_TRACES_EXPORTER: 'none' },
  });
  const host = `127.0.0.1:${port}`;
  for (let tries = 0; ; tries++) {
    const there = await fetch(`http://${host}/v2/`).then(
      ({ ok }) => ok,
      () => false,
    );
    if (there) return { host, stop: () => child.kill('SIGKILL') };
    if (tries === 100) throw new Error('docker-registry does not start');
    await sleep(100);
  }
}

/** Its daemon, without networks, which a pull does not need. */
async function startDocker(work, disk, host) {
  const none = (why) => ({ why, stop() {} });
  if (spawnSync('sh', ['-c', 'command -v dockerd docker']).status !== 0) return none('is not installed');
  const socket = `unix://${work}/docker.sock`;
  const flags = ['--bridge=none', '--iptables=false', '--ip6tables=false', `--insecure-registry=${host}`];
  const places = [
    '--data-root',
    join(disk, 'docker'),
    '--exec-root',
    join(work, 'docker'),
    '-p',
    join(work, 'docker.pid'),
  ];
  const child = spawn('dockerd', [...flags, ...places, '-H', socket], { stdio: 'ignore' });
  const stop = async () => {
    child.kill('SIGTERM');
    await sleep(2000);
  };
  for (let tries = 0; tries < 60 && child.exitCode === null; tries++) {
    if (spawnSync('docker', ['-H', socket, 'info'], { stdio: 'ignore' }).status === 0)
      return { socket, stop };
    await sleep(500);
  }
  await stop();
  return none('has a daemon that does not start here');
}

function findContenders({ disk, host, docker }) {
  const to = (name) => join(disk, name);
  const shell = (script, name, urls) => ['sh', '-ec', script, to(name), ...urls];
  const all = [
    {
      name: 'tsbox pull',
      command: (image) => [
        process.execPath,
        join(root, 'dist', 'tsbox.cjs'),
        'pull',
        '-q',
        `${host}/${image}`,
      ],
      env: { TSBOX_ROOT: to('tsbox') },
    },
    {
      name: 'podman pull',
      command: (image) => [
        ...['podman', '--root', to('podman'), '--runroot', to('podman-run'), '--storage-driver', 'overlay'],
        ...['pull', '-q', '--tls-verify=false', `${host}/${image}`],
      ],
    },
    {
      name: 'skopeo copy (unpacks nothing)',
      command: (image) => [
        'skopeo',
        'copy',
        '-q',
        '--src-tls-verify=false',
        `docker://${host}/${image}`,
        `oci:${to('skopeo')}`,
      ],
    },
    {
      name: '`curl`, `gzip -dc`, `tar x`',
      command: (_, urls) =>
        shell(
          // biome-ignore lint/suspicious/noTemplateCurlyInString: the shell's
          'for url do mkdir -p "$0/${url##*:}"; curl -s "$url" | gzip -dc | tar x -C "$0/${url##*:}"; done',
          'pipe',
          urls,
        ),
    },
    {
      name: 'the same, two at a time',
      several: true,
      command: (_, urls) =>
        shell(
          // biome-ignore lint/suspicious/noTemplateCurlyInString: the shell's
          'export to="$0"; printf "%s\\n" "$@" | xargs -P2 -I{} sh -ec \'url={}; mkdir -p "$to/${url##*:}"; curl -s "$url" | gzip -dc | tar x -C "$to/${url##*:}"\'',
          'pipe2',
          urls,
        ),
    },
  ];
  if (docker.socket) {
    all.splice(2, 0, {
      name: 'docker pull',
      daemon: true,
      command: (image) => ['docker', '-H', docker.socket, 'pull', '-q', `${host}/${image}`],
      clean: (image) =>
        spawnSync('docker', ['-H', docker.socket, 'rmi', '-f', `${host}/${image}`], { stdio: 'ignore' }),
    });
  }
  return all.filter(({ command }) => {
    const [program] = command('x', []);
    return program.includes('/') || spawnSync('sh', ['-c', `command -v ${program}`]).status === 0;
  });
}

/** In turn within each round; every one begins with nothing, and what it leaves is removed before the next. */
function measure(contenders, name, images, { work, disk, rounds }) {
  const { urls } = images.find((image) => image.name === name);
  const mine = contenders.filter(({ several }) => !several || urls.length > 1);
  const results = new Map(mine.map((each) => [each.name, { seconds: [], peaks: [] }]));
  for (let round = 0; round < rounds; round++) {
    for (const { name: who, command, env, clean, daemon } of mine) {
      execFileSync('sync');
      const began = process.hrtime.bigint();
      const { status, stdout, stderr } = spawnSync(join(work, 'peak'), command(name, urls), {
        env: { ...process.env, ...env },
        encoding: 'utf8',
      });
      const seconds = Number(process.hrtime.bigint() - began) / 1e9;
      if (status !== 0) throw new Error(`${who}: ${stderr}`);
      results.get(who).seconds.push(seconds);
      if (!daemon) results.get(who).peaks.push(Number(stdout) / 1024);
      clean?.(name);
      for (const place of ['tsbox', 'podman', 'podman-run', 'skopeo', 'pipe', 'pipe2'])
        remove(join(disk, place));
    }
  }
  return results;
}

function remove(path) {
  // podman's overlay is a mount.
  spawnSync('umount', ['-l', join(path, 'overlay')], { stdio: 'ignore' });
  if (existsSync(path)) execFileSync('rm', ['-rf', path]);
}

function format({ results, images, rounds, memory, docker, kind }) {
  const table = images.map(({ name, urls, unpacked, packed }) => {
    const own = median(results[name].get('tsbox pull').seconds);
    const lines = [...results[name]].map(([who, { seconds, peaks }]) => {
      const peak = peaks.length > 0 ? Math.max(...peaks).toFixed(0) : '(a daemon)';
      const middle = median(seconds);
      return `| ${who} | ${middle.toFixed(2)} | ${(own / middle).toFixed(2)} | ${Math.min(...seconds).toFixed(2)} | ${peak} |`;
    });
    const layers = urls.length === 1 ? 'One layer' : `${urls.length} layers`;
    return `${layers}: ${packed.toFixed(0)} MB in gzip, ${unpacked.toFixed(0)} MB unpacked.

| | median, s | tsbox takes × | best, s | peak memory, MiB |
|---|---:|---:|---:|---:|
${lines.join('\n')}
`;
  });
  const synced = memory ? '' : ' tsbox alone waits until all is on the disk (syncfs).';
  const missing = docker.why ? ` docker ${docker.why}.` : '';
  return `${HEADING}

Written by bench/pull.mjs: medians of ${rounds} rounds, each in turn, from docker-registry on the same machine (${cpus().length} processors) to ${kind}, from
nothing each time.${synced}${missing} The peak is the largest resident set of one process.

${table.join('\n')}`;
}

export const HEADING = '## Pulling an image';

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { values } = parseArgs({
    options: {
      rounds: { type: 'string', default: '3' },
      megabytes: { type: 'string', default: '200' },
      memory: { type: 'boolean', default: false },
      write: { type: 'boolean', default: false },
    },
  });
  const { memory, write } = values;
  const section = await pullSection({
    rounds: Number(values.rounds),
    megabytes: Number(values.megabytes),
    memory,
  });
  console.log(section);
  if (write) writeSection(HEADING, section);
}
