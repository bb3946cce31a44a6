import { TsboxError } from '../../kernel/index.ts';
import type { StoredImage } from '../stored-image.ts';

/** A container that uses an image. */
export interface ImageUser {
  id: string;
  name: string;
  running: boolean;
}

/** Docker's words, which scripts look for: daemon/images/image_delete.go. */
export function nameInUseError(reference: string, image: StoredImage, user: ImageUser): TsboxError {
  return conflict(
    'IMAGE_IN_USE',
    `unable to remove repository reference "${reference}" (must force) - container ${short(user.id)} is using its referenced image ${short(image.id)}`,
    `tsbox rm ${user.name} first; --force takes only the name away`,
  );
}

export function inUseError(image: StoredImage, user: ImageUser, forced: boolean): TsboxError {
  const how = user.running || forced ? 'cannot be forced' : 'must be forced';
  return conflict(
    'IMAGE_IN_USE',
    `unable to delete ${short(image.id)} (${how}) - image is being used by ${user.running ? 'running' : 'stopped'} container ${short(user.id)}`,
    `tsbox rm ${user.running ? '-f ' : ''}${user.name} first`,
  );
}

export function manyNamesError(image: StoredImage, names: readonly string[]): TsboxError {
  return conflict(
    'IMAGE_HAS_NAMES',
    `unable to delete ${short(image.id)} (must be forced) - image is referenced in multiple repositories`,
    `it is called ${names.join(', ')}: tsbox rmi takes one name away, and tsbox rmi -f the image with all of them`,
  );
}

function conflict(code: string, message: string, advice: string): TsboxError {
  return new TsboxError(code, `conflict: ${message}`, { advice });
}

function short(id: string): string {
  return id.replace(/^sha256:/, '').slice(0, 12);
}
