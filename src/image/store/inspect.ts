import { tryReference } from '../reference.ts';
import type { ImageConfig } from '../stored-image.ts';
import { findStored } from './find.ts';
import { tryParts } from './garbage.ts';
import { historyOf, word } from './history.ts';
import { corrupt, imageName, PULLED_DIGEST, readIndex } from './index-file.ts';
import { blobPath } from './paths.ts';
import { readParts } from './read-image.ts';

/** What Docker's `image inspect` says of an image, with its names and in its order. */
export interface ImageDetails {
  Id: string;
  RepoTags: string[];
  RepoDigests: string[];
  Parent: string;
  Comment: string;
  Created: string;
  Author: string;
  Architecture: string;
  Variant: string | undefined;
  Os: string;
  Size: number;
  Config: Record<string, unknown>;
  RootFS: { Type: 'layers'; Layers: string[] };
  Metadata: { LastTagTime: string };
}

/** @throws {TsboxError} IMAGE_NOT_FOUND, AMBIGUOUS_ID, STORE_CORRUPT, NO_PLATFORM */
export function inspectImage(reference: string): ImageDetails {
  const { image, descriptor } = findStored(reference);
  const found = readParts(descriptor);
  if (found === undefined) throw corrupt(blobPath(descriptor.digest));
  const { config, parts } = found;
  const lines = readIndex().filter((each) => tryParts(each)?.config === image.id);
  const names = lines.map((each) => ({ name: imageName(each), pulled: each.annotations?.[PULLED_DIGEST] }));
  const history = historyOf(config);
  return {
    Id: image.id,
    RepoTags: names.map(({ name }) => name).filter((name) => name !== '' && !name.includes('@')),
    RepoDigests: [...new Set(names.flatMap(({ name, pulled }) => repositoryDigest(name, pulled)))],
    Parent: '',
    Comment: history.at(-1)?.comment ?? '',
    Created: image.created,
    Author: word(config.author) ?? '',
    Architecture: word(config.architecture) ?? '',
    Variant: word(config.variant),
    Os: word(config.os) ?? '',
    Size: image.size,
    Config: configDetails(image.config),
    RootFS: { Type: 'layers', Layers: parts.diffIds },
    Metadata: { LastTagTime: '0001-01-01T00:00:00Z' },
  };
}

function repositoryDigest(name: string, pulled: string | undefined): string[] {
  if (name.includes('@')) return [name];
  const repository = tryReference(name)?.repository;
  return repository === undefined || pulled === undefined ? [] : [`${repository}@${pulled}`];
}

/** In Docker's order, with the fields that it always has. */
function configDetails(config: ImageConfig): Record<string, unknown> {
  return {
    Hostname: '',
    Domainname: '',
    User: config.User ?? '',
    AttachStdin: false,
    AttachStdout: false,
    AttachStderr: false,
    ExposedPorts: emptied(config.ExposedPorts),
    Tty: false,
    OpenStdin: false,
    StdinOnce: false,
    Env: config.Env ?? null,
    Cmd: config.Cmd ?? null,
    Healthcheck: config.Healthcheck && healthcheck(config.Healthcheck as Record<string, unknown>),
    ArgsEscaped: config.ArgsEscaped,
    Image: '',
    Volumes: emptied(config.Volumes) ?? null,
    WorkingDir: config.WorkingDir ?? '',
    Entrypoint: config.Entrypoint ?? null,
    OnBuild: config.OnBuild ?? null,
    Labels: config.Labels ?? null,
    StopSignal: config.StopSignal,
    Shell: config.Shell,
  };
}

/** Ports and volumes are the keys; the values are empty by the specification, and anything in an image of somebody's. */
function emptied(map: Record<string, object> | undefined): Record<string, object> | undefined {
  return map && Object.fromEntries(Object.keys(map).map((key) => [key, {}]));
}

function healthcheck(given: Record<string, unknown>): Record<string, unknown> {
  const { Test } = given;
  const numbers = ['Interval', 'Timeout', 'StartPeriod', 'StartInterval', 'Retries'].flatMap((field) =>
    typeof given[field] === 'number' ? [[field, given[field]]] : [],
  );
  const isTest = Array.isArray(Test) && Test.every((each) => typeof each === 'string');
  return { ...(isTest ? { Test } : {}), ...Object.fromEntries(numbers) };
}
