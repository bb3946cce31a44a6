import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { json, sha256 } from '../../../fixtures/oci-layout.ts';
import { archive, directory, file, symlink } from '../../../fixtures/tar.ts';

/** Why tests with skopeo cannot run here. */
export const skopeoMissing =
  spawnSync('sh', ['-c', 'command -v skopeo']).status === 0
    ? ''
    : ' (skipped: needs skopeo: scripts/setup --test)';

/** A program to run in an image of one layer: Debian's static busybox. */
export const busyboxMissing = existsSync('/bin/busybox') ? '' : ' (skipped: needs busybox-static)';

export function busyboxTar(): Buffer {
  return archive(
    directory('bin'),
    file('bin/busybox', readFileSync('/bin/busybox'), { mode: 0o755 }),
    ...['sh', 'cat', 'pwd', 'ls', 'env', 'id', 'echo', 'true'].map((name) =>
      symlink(`bin/${name}`, 'busybox'),
    ),
    directory('etc'),
    file('etc/passwd', 'root:x:0:0::/:/bin/sh\nbob:x:1000:1000::/:/bin/sh\n'),
    file('etc/group', 'root:x:0:\nbob:x:1000:\n'),
  );
}

/** Copies with skopeo, which is not ours. @returns what it printed */
export function skopeo(...args: string[]): string {
  return execFileSync('skopeo', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
}

/** What another program would write into the store, byte by byte. */
export class RawStore {
  readonly images: string;

  constructor(root: string) {
    this.images = join(root, 'images');
    mkdirSync(join(this.images, 'blobs', 'sha256'), { recursive: true });
    writeFileSync(join(this.images, 'oci-layout'), '{"imageLayoutVersion":"1.0.0"}');
  }

  /** @param claimed another digest than the right one */
  blob(content: Buffer | object, claimed?: string): { digest: string; size: number } {
    const bytes = Buffer.isBuffer(content) ? content : json(content);
    const digest = claimed ?? sha256(bytes);
    writeFileSync(join(this.images, 'blobs', 'sha256', digest.slice(7)), bytes);
    return { digest, size: bytes.length };
  }

  /** An image of these uncompressed layers. @returns the descriptor of its manifest */
  image(layers: Buffer[], config: object = {}, more: object = {}): Line {
    const blobs = layers.map((layer) => ({ mediaType: `${OCI}.layer.v1.tar`, ...this.blob(layer) }));
    const configBlob = this.blob({
      created: '2024-01-01T00:00:00Z',
      architecture: MACHINE,
      os: 'linux',
      config,
      rootfs: { type: 'layers', diff_ids: layers.map(sha256) },
      ...more,
    });
    return this.manifest({ config: { mediaType: `${OCI}.config.v1+json`, ...configBlob }, layers: blobs });
  }

  manifest(content: object, mediaType = `${OCI}.manifest.v1+json`): Line {
    return { mediaType, ...this.blob({ schemaVersion: 2, mediaType, ...content }) };
  }

  imageIndex(manifests: object[]): Line {
    return this.manifest({ manifests }, `${OCI}.index.v1+json`);
  }

  index(...manifests: unknown[]): void {
    this.raw(json({ schemaVersion: 2, manifests }));
  }

  raw(index: Buffer | string): void {
    writeFileSync(join(this.images, 'index.json'), index);
  }

  read(): { manifests: (Line & { annotations?: Record<string, string> })[] } {
    return JSON.parse(readFileSync(join(this.images, 'index.json'), 'utf8'));
  }
}

export interface Line {
  mediaType: string;
  digest: string;
  size: number;
}

export function named(line: object, name: string): object {
  return { ...line, annotations: { 'org.opencontainers.image.ref.name': name } };
}

export const OCI = 'application/vnd.oci.image';
export const MACHINE = process.arch === 'x64' ? 'amd64' : process.arch;
