import { TsboxError } from '../kernel/index.ts';

/** What a person calls an image. */
export interface Reference {
  /** Without tag and digest, and without `docker.io/library/`: `alpine`, `ghcr.io/owner/app`. */
  repository: string;
  tag: string;
  /** `sha256:…` of a manifest, for `NAME@DIGEST`. */
  digest: string | undefined;
  /** `repository:tag`: the name in the store. */
  name: string;
}

/**
 * Reads `[HOST[:PORT]/]NAME[:TAG][@DIGEST]`, by the grammar of the distribution reference
 * (github.com/distribution/reference). The tag is `latest` where there is none. `docker.io/library/alpine` and `alpine` are one name.
 *
 * @throws {TsboxError} BAD_REFERENCE
 */
export function parseReference(text: string): Reference {
  const match = GRAMMAR.exec(text);
  if (match === null || (match[1] as string).length > 255) {
    const lower = text.toLowerCase();
    const advice =
      lower !== text && GRAMMAR.test(lower)
        ? `names are in lower case: ${lower}`
        : 'a name looks like alpine, alpine:3.20 or ghcr.io/owner/app:1.0';
    throw new TsboxError('BAD_REFERENCE', `\`${text}\` is not a name for an image`, { advice });
  }
  const [, path = '', tag = 'latest', digest] = match;
  const repository = path
    .replace(/^(?:index\.)?docker\.io\/(?:library\/)?(?=.)/, '')
    .replace(/^library\/(?=[^/]+$)/, '');
  return { repository, tag, digest, name: `${repository}:${tag}` };
}

/** The same, but undefined for what is no reference: it may be an image's id. */
export function tryReference(text: string): Reference | undefined {
  return GRAMMAR.test(text) ? parseReference(text) : undefined;
}

const HOST =
  '(?:[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?(?:\\.[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?)*|\\[[0-9a-fA-F:]+\\])(?::[0-9]+)?';
const PART = '[a-z0-9]+(?:(?:\\.|_|__|-+)[a-z0-9]+)*';
const GRAMMAR = new RegExp(
  `^((?:${HOST}/)?${PART}(?:/${PART})*)(?::([A-Za-z0-9_][A-Za-z0-9_.-]{0,127}))?(?:@(sha256:[0-9a-f]{64}))?$`,
);
