import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Layout } from '../../../fixtures/oci-layout.ts';

const missing = ['containerd', 'ctr', 'skopeo', 'unshare'].filter(
  (name) => spawnSync('sh', ['-c', `command -v ${name}`]).status !== 0,
);

/** Why containerd cannot be asked here. */
export const containerdMissing =
  missing.length === 0 ? '' : ` (skipped: needs ${missing.join(', ')}: scripts/setup --test)`;

/**
 * What a shell script prints in the root of an image as Debian's containerd unpacks and mounts it. The daemon is a new one, with nothing of the
 * machine's, and has a mount namespace, so that nothing of it stays.
 */
export function askContainerd(layout: Layout, script: string): string {
  const directory = mkdtempSync(join(tmpdir(), 'tsbox-containerd-'));
  try {
    mkdirSync(join(directory, 'mounted'));
    writeFileSync(join(directory, 'config.toml'), configuration(directory));
    const args = ['-m', 'sh', '-euc', ASK, 'sh', directory, layout.path, script];
    const { status, stdout, stderr } = spawnSync('unshare', args, { encoding: 'utf8', timeout: 60_000 });
    if (status !== 0) throw new Error(`containerd: ${status}\n${stdout}\n${stderr}`);
    return stdout;
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

function configuration(directory: string): string {
  return `
version = 2
root = "${directory}/root"
state = "${directory}/state"
disabled_plugins = ["io.containerd.grpc.v1.cri", "io.containerd.internal.v1.opt"]
[grpc]
address = "${directory}/socket"
`;
}

const ASK = `
  cd "$1"
  containerd -c config.toml >log 2>&1 &
  containerd=$!
  trap 'kill $containerd; wait $containerd || :' EXIT
  until ctr -a socket version >/dev/null 2>&1; do kill -0 $containerd; sleep 0.1; done
  skopeo copy -q "oci:$2:latest" docker-archive:image.tar:docker.io/test/image:1
  ctr -a socket images import image.tar >&2
  ctr -a socket images mount docker.io/test/image:1 "$1/mounted" >&2
  cd mounted
  (eval "$3")
  cd ..
  ctr -a socket images unmount "$1/mounted" >&2
`;
