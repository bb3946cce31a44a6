import { createHash, type Hash } from 'node:crypto';
import { TsboxError } from '../../kernel/index.ts';

/** `sha256:` or `sha512:` and as many hexadecimal digits as that has. OCI image specification, descriptor.md. */
const DIGEST = /^(?:sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128})$/;

export function isDigest(text: string): boolean {
  return DIGEST.test(text);
}

/**
 * The hash that a digest is made with.
 *
 * @throws {TsboxError} BAD_DIGEST
 */
export function hashFor(digest: string): Hash {
  if (isDigest(digest)) return createHash(digest.slice(0, 6));
  const shown = JSON.stringify(digest.slice(0, 100));
  throw new TsboxError(
    'BAD_DIGEST',
    `${shown} is no digest: those are sha256: or sha512: and hexadecimal digits`,
  );
}

export function digestOf(bytes: Buffer, like = 'sha256:'): string {
  const algorithm = like.startsWith('sha512:') ? 'sha512' : 'sha256';
  return `${algorithm}:${createHash(algorithm).update(bytes).digest('hex')}`;
}
