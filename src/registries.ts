/** The library's part about registries, each function loaded when it is called. */
export type { PullEvent, PulledImage, PullOptions } from './image/pull/index.ts';
export type { LayerState, PushedImage, PushOptions } from './image/push/index.ts';

import { noteImage } from './engine/events/note-image.ts';
import type { PulledImage, PullOptions } from './image/pull/index.ts';
import type { PushedImage, PushOptions } from './image/push/index.ts';

/**
 * Gets an image from its registry into the store: its manifest for the platform, and what the store does not have yet of its layers. A second pull of
 * the same name, in whatever process, waits for the first and uses what it got.
 *
 * @param name `alpine`, `alpine:3.20`, `ghcr.io/owner/app@sha256:…`
 * @throws {TsboxError} BAD_REFERENCE, BAD_PLATFORM, MANIFEST_NOT_FOUND, NO_PLATFORM, BAD_MANIFEST, UNSUPPORTED_LAYER, BAD_BLOB, BAD_ARCHIVE,
 * UNSAFE_ARCHIVE, DISK_FULL, REGISTRY_DENIED, REGISTRY_UNREACHABLE, REGISTRY_FAILED. Nothing of it is left then.
 */
export async function pullImage(name: string, options?: PullOptions): Promise<PulledImage> {
  const { pullImage } = await import('./image/pull/index.ts');
  const image = await pullImage(name, options);
  noteImage('pull', image.name || name, image.name || name);
  return image;
}

/**
 * Sends an image to the registry that its name says, under its tag. What is there already is not sent, and what another repository of
 * that registry has is mounted from it. The manifest stays byte for byte what it is.
 *
 * @param name `localhost:5000/web:1`; the tag is `latest` where there is none
 * @throws {TsboxError} BAD_REFERENCE, IMAGE_NOT_FOUND, STORE_CORRUPT, REGISTRY_DENIED, REGISTRY_UNREACHABLE, REGISTRY_FAILED
 */
export async function pushImage(name: string, options?: PushOptions): Promise<PushedImage> {
  const { pushImage } = await import('./image/push/index.ts');
  const pushed = await pushImage(name, options);
  noteImage('push', name, name);
  return pushed;
}

/** Sends all tags of a repository, one after the other. As `pushImage`, but `name` has no tag. */
export async function pushAllTags(name: string, options?: PushOptions): Promise<PushedImage[]> {
  const { pushAllTags } = await import('./image/push/index.ts');
  return await pushAllTags(name, options);
}

/**
 * Logs in to a registry: checks that it takes the credentials, and keeps them for `pullImage` and `pushImage` in a file that only this user can
 * read, in the form of Docker's `config.json`.
 *
 * @param registry `docker.io`, `ghcr.io`, `localhost:5000`
 * @param options.tlsVerify false: takes any certificate, and plain HTTP where there is no TLS
 * @returns what the registry is called, and the file: `TSBOX_AUTH_FILE`, or `~/.config/tsbox/auth.json`
 * @throws {TsboxError} LOGIN_FAILED, BAD_CREDENTIALS, BAD_REFERENCE, BAD_AUTH_FILE, REGISTRY_UNREACHABLE, REGISTRY_FAILED
 */
export async function login(
  registry: string,
  credentials: { username: string; password: string },
  options?: { tlsVerify?: boolean; signal?: AbortSignal },
): Promise<{ server: string; file: string }> {
  const { login } = await import('./image/credentials/login.ts');
  return await login(registry, credentials, options);
}

/**
 * Forgets what `login` keeps for a registry. What Docker keeps stays.
 *
 * @returns what the registry is called, and whether there was anything
 * @throws {TsboxError} BAD_REFERENCE, BAD_AUTH_FILE
 */
export async function logout(registry: string): Promise<{ server: string; removed: boolean }> {
  const { logout } = await import('./image/credentials/login.ts');
  return logout(registry);
}
