import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { lstatSync, mkdirSync, readdirSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * Makes two images of the same files of this machine's /usr, in one layer and in five, and pushes them to the registry.
 *
 * @returns their names, the addresses of their blobs, and megabytes packed and unpacked
 */
export function makeImages(work, megabytes, host) {
  const files = collect(megabytes * 1e6);
  const fifth = Math.ceil(files.length / 5);
  const parts = [0, 1, 2, 3, 4].map((index) => files.slice(index * fifth, (index + 1) * fifth));
  return [makeImage(work, 'one', [files], host), makeImage(work, 'five', parts, host)];
}

/** Files of all sizes, in an order that mixes large ones and small ones. */
function collect(bytes) {
  const found = [];
  let total = 0;
  const visit = (directory) => {
    for (const name of readdirSync(directory).sort()) {
      const path = join(directory, name);
      const status = lstatSync(path);
      if (status.isDirectory()) visit(path);
      else if (status.isFile() && status.size < 20e6 && total < bytes) {
        found.push(path);
        total += status.size;
      }
      if (total >= bytes) return;
    }
  };
  for (const directory of ['/usr/bin', '/usr/lib/python3', '/usr/share', '/usr/lib']) {
    try {
      visit(directory);
    } catch (error) {
      if (error.code !== 'ENOENT') throw error;
    }
  }
  const key = (path) => createHash('sha1').update(path).digest('hex');
  return found
    .map((path) => [key(path), path.slice(1)])
    .sort()
    .map(([, path]) => path);
}

function makeImage(work, name, lists, host) {
  const layout = join(work, name);
  const blobs = join(layout, 'blobs', 'sha256');
  mkdirSync(blobs, { recursive: true });
  const layers = lists.map((list, index) => {
    const [names, tar] = [join(work, 'names'), join(work, `${index}.tar`)];
    writeFileSync(names, `${list.join('\n')}\n`);
    execFileSync('tar', ['--create', '--file', tar, '--directory', '/', '--files-from', names]);
    const diffId = sha256(tar);
    const unpacked = statSync(tar).size;
    execFileSync('gzip', ['-6', '-n', '-f', tar]);
    const digest = sha256(`${tar}.gz`);
    const { size } = statSync(`${tar}.gz`);
    renameSync(`${tar}.gz`, join(blobs, digest.slice(7)));
    return { diffId, unpacked, digest, size };
  });
  const put = (value) => {
    const text = JSON.stringify(value);
    const digest = createHash('sha256').update(text).digest('hex');
    writeFileSync(join(blobs, digest), text);
    return { digest: `sha256:${digest}`, size: Buffer.byteLength(text) };
  };
  const type = (what) => `application/vnd.oci.image.${what}`;
  const architecture = process.arch === 'x64' ? 'amd64' : process.arch;
  const diffIds = layers.map(({ diffId }) => diffId);
  const config = put({
    architecture,
    os: 'linux',
    config: {},
    rootfs: { type: 'layers', diff_ids: diffIds },
  });
  const manifest = put({
    schemaVersion: 2,
    mediaType: type('manifest.v1+json'),
    config: { mediaType: type('config.v1+json'), ...config },
    layers: layers.map(({ digest, size }) => ({ mediaType: type('layer.v1.tar+gzip'), digest, size })),
  });
  writeFileSync(join(layout, 'oci-layout'), '{"imageLayoutVersion":"1.0.0"}');
  const annotations = { 'org.opencontainers.image.ref.name': 'latest' };
  const manifests = [{ mediaType: type('manifest.v1+json'), ...manifest, annotations }];
  writeFileSync(join(layout, 'index.json'), JSON.stringify({ schemaVersion: 2, manifests }));
  execFileSync('skopeo', [
    'copy',
    '-q',
    '--dest-tls-verify=false',
    `oci:${layout}:latest`,
    `docker://${host}/${name}`,
  ]);
  const sum = (field) => layers.reduce((total, layer) => total + layer[field], 0) / 1e6;
  const urls = layers.map(({ digest }) => `http://${host}/v2/${name}/blobs/${digest}`);
  return { name, urls, packed: sum('size'), unpacked: sum('unpacked') };
}

function sha256(path) {
  return `sha256:${execFileSync('sha256sum', [path], { encoding: 'utf8' }).slice(0, 64)}`;
}
