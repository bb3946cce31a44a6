import { TsboxError } from '../../kernel/index.ts';
import { parseReference, tryReference } from '../reference.ts';
import type { StoredImage } from '../stored-image.ts';
import { findStored } from './find.ts';
import { replaceIndex } from './garbage.ts';
import { formatIndex, imageName, PULLED_DIGEST, REF_NAME, readIndex } from './index-file.ts';
import { withStoreLock } from './lock.ts';
import { withNameTaken } from './publish.ts';

/**
 * Gives an image one more name. An image that had the name before keeps its id.
 *
 * @param source a name or an id
 * @throws {TsboxError} IMAGE_NOT_FOUND, AMBIGUOUS_ID, BAD_REFERENCE
 */
export function tagImage(source: string, target: string): StoredImage {
  const { name, repository, digest: given } = parseReference(target);
  if (given !== undefined) {
    throw new TsboxError('BAD_REFERENCE', `\`${target}\` is no name to give: a digest belongs to the image`, {
      advice: `leave @${given.slice(0, 15)}… away`,
    });
  }
  return withStoreLock(() => {
    const { image, descriptor } = findStored(source);
    if (imageName(descriptor) === name) return image;
    const { [PULLED_DIGEST]: pulled, ...annotations } = descriptor.annotations ?? {};
    // The registry has spoken of its own repository only.
    const same = tryReference(imageName(descriptor))?.repository === repository;
    const tagged = {
      ...descriptor,
      annotations: {
        ...annotations,
        ...(same && pulled ? { [PULLED_DIGEST]: pulled } : {}),
        [REF_NAME]: name,
      },
    };
    const rest = withNameTaken(readIndex(), name, descriptor.digest);
    // It has a name now: the line without one is not needed.
    const left = [
      ...rest.filter((each) => each.digest !== descriptor.digest || imageName(each) !== ''),
      tagged,
    ];
    replaceIndex(formatIndex(left), left, [])?.release();
    return { ...image, name };
  });
}
