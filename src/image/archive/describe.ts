import { OCI_INDEX } from '../manifest.ts';
import { parseReference } from '../reference.ts';
import { REF_NAME } from '../store/index.ts';
import type { Selected } from './select.ts';

/** A member of an archive that is made here. */
interface TextFile {
  name: string;
  text: string;
}

/** The name that containerd and Docker look for, in full: `docker.io/library/alpine:latest`. */
export const CONTAINERD_NAME = 'io.containerd.image.name';

/** `oci-layout` and `index.json`, one line a name (OCI image-spec, image-layout.md). */
export function ociFiles(images: readonly Selected[]): TextFile[] {
  const manifests = images.flatMap(({ names, files: { manifest } }) => {
    const descriptor = {
      mediaType: manifest.mediaType,
      digest: manifest.digest,
      size: manifest.bytes.length,
    };
    if (names.length === 0) return [descriptor];
    return names.map((name) => ({
      ...descriptor,
      annotations: { [CONTAINERD_NAME]: fullName(name), [REF_NAME]: name },
    }));
  });
  return [
    { name: 'oci-layout', text: '{"imageLayoutVersion":"1.0.0"}' },
    { name: 'index.json', text: JSON.stringify({ schemaVersion: 2, mediaType: OCI_INDEX, manifests }) },
  ];
}

/** `manifest.json`, and `repositories`, which is older and still written by Docker and podman. */
export function dockerFiles(images: readonly Selected[]): TextFile[] {
  const manifests = images.map(({ names, files: { config, layers } }) => ({
    Config: place(config.digest),
    RepoTags: names,
    Layers: layers.map(({ digest }) => place(digest)),
  }));
  const repositories: Record<string, Record<string, string>> = {};
  for (const { names, files } of images) {
    const top = (files.layers.at(-1) ?? files.config).digest.slice(7);
    for (const { repository, tag } of names.map(parseReference))
      repositories[repository] = { ...repositories[repository], [tag as string]: top };
  }
  return [
    { name: 'manifest.json', text: JSON.stringify(manifests) },
    { name: 'repositories', text: JSON.stringify(repositories) },
  ];
}

function place(digest: string): string {
  return `blobs/sha256/${digest.slice(7)}`;
}

function fullName(name: string): string {
  const { registry, path, tag } = parseReference(name);
  return `${registry}/${path}:${tag}`;
}
