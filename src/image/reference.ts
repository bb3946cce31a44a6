import { TsboxError } from '../kernel/index.ts';
import { explainReference } from './reference-error.ts';
import { splitRegistry } from './split-registry.ts';

/** What a person calls an image. */
export interface Reference {
  /** The registry: `docker.io` where none is named, `localhost:5000`, `ghcr.io`. */
  registry: string;
  /** The repository in the registry: `library/alpine`, `owner/app`. */
  path: string;
  /** The two as people write them, without `docker.io/library/`: `alpine`, `ghcr.io/owner/app`. */
  repository: string;
  /** `latest` where neither tag nor digest is given, undefined where only a digest is. */
  tag: string | undefined;
  /** `sha256:…` of a manifest, for `NAME@DIGEST`. */
  digest: string | undefined;
  /** The name in the store: `repository:tag`, or `repository@digest` where only a digest is given. */
  name: string;
}

/**
 * Reads `[HOST[:PORT]/]PATH[:TAG][@DIGEST]`, by the grammar of the OCI distribution specification and of Docker
 * (github.com/distribution/reference). `docker.io/library/alpine`, `index.docker.io/alpine` and `alpine` are one name. What stands before
 * the first `/` is a registry only where it has a dot, a colon or an upper-case letter in it, or is `localhost`.
 *
 * @throws {TsboxError} BAD_REFERENCE; the message says which part is wrong
 */
export function parseReference(text: string): Reference {
  const reference = tryReference(text);
  // Docker refuses it too: nobody could say whether the name is meant or the id.
  if (reference !== undefined && !ID.test(text)) return reference;
  const { message, advice } = explainReference(text);
  throw new TsboxError('BAD_REFERENCE', message, { advice });
}

/** The same, but undefined for what is no reference: it may be an image's id. */
export function tryReference(text: string): Reference | undefined {
  // The longest: a path, a tag, and a digest.
  if (text.length > 255 + 1 + 128 + 1 + 71) return undefined;
  const match = GRAMMAR.exec(text);
  if (match === null) return undefined;
  const [, name = '', givenTag, digest] = match;
  const split = splitRegistry(name);
  const registry = split.registry === 'index.docker.io' ? 'docker.io' : (split.registry ?? 'docker.io');
  const path = registry === 'docker.io' && !split.rest.includes('/') ? `library/${split.rest}` : split.rest;
  if (!PATH.test(path) || registry.length + 1 + path.length > 255) return undefined;
  if (split.registry !== undefined) {
    // Docker takes `my_host.example/app` for no path either, though the grammar would have it. And the grammar has ports of any size and
    // addresses like `[:::]`, where nobody can be asked.
    if (!WHOLE_HOST.test(registry) || !URL.canParse(`http://${registry}`)) return undefined;
  }
  const repository =
    registry === 'docker.io' ? path.replace(/^library\/(?=[^/]+$)/, '') : `${registry}/${path}`;
  const tag = givenTag ?? (digest === undefined ? 'latest' : undefined);
  const suffix = tag === undefined ? `@${digest}` : `:${tag}`;
  return { registry, path, repository, tag, digest, name: `${repository}${suffix}` };
}

const LABEL = '[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?';
const HOST = `(?:${LABEL}(?:\\.${LABEL})*|\\[[0-9a-fA-F:]+\\])(?::[0-9]+)?`;
const WHOLE_HOST = new RegExp(`^${HOST}$`);
const PART = '[a-z0-9]+(?:(?:\\.|_|__|-+)[a-z0-9]+)*';
const PATH = new RegExp(`^${PART}(?:/${PART})*$`);
const GRAMMAR = new RegExp(
  `^((?:${HOST}/)?${PART}(?:/${PART})*)(?::([A-Za-z0-9_][A-Za-z0-9_.-]{0,127}))?(?:@(sha256:[0-9a-f]{64}))?$`,
);
const ID = /^[0-9a-f]{64}$/;
