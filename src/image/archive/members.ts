import { readFileSync } from 'node:fs';
import { badArchive, shownName, unsafeArchive } from '../archive-error.ts';
import { JSON_LIMIT } from '../manifest.ts';

/** A file of an archive, which lies under another name on this disk now. */
export interface Member {
  path: string;
  /** `sha256:…` of its bytes, computed here. */
  digest: string;
  size: number;
  /** Its first bytes, to see how it is compressed. */
  start: Buffer;
}

/** What an archive has, by name. Names never become paths of this machine, and links lead to other members or nowhere. */
export class Members {
  readonly #files = new Map<string, Member>();
  /** Undefined for a link that leads outside. It does no harm unless it is used: a root file system has many. */
  readonly #links = new Map<string, string | undefined>();
  readonly #digests = new Map<string, Member>();

  /** @throws {TsboxError} BAD_ARCHIVE where there is another file under this name: one reader would take the first, the next one the last */
  addFile(name: string, member: Member): void {
    const key = normalized(name);
    const other = this.#files.get(key);
    if (this.#links.has(key) || (other !== undefined && other.digest !== member.digest)) throw twice(name);
    this.#files.set(key, member);
    this.#digests.set(member.digest, member);
  }

  /** @param target as `/`-separated path, from the archive's root for a hard link and from the link's directory for a symbolic one */
  addLink(name: string, target: string, symbolic: boolean): void {
    const key = normalized(name);
    const directory = symbolic ? key.split('/').slice(0, -1) : [];
    const path = resolvePath(directory, target);
    if (this.#files.has(key) || (this.#links.has(key) && this.#links.get(key) !== path)) throw twice(name);
    this.#links.set(key, path);
  }

  has(name: string): boolean {
    const key = resolvePath([], latin1(name));
    return key !== undefined && (this.#files.has(key) || this.#links.has(key));
  }

  /**
   * The file of this name, through links.
   *
   * @param name from a JSON file
   * @param what it is, for the message
   * @throws {TsboxError} BAD_ARCHIVE, UNSAFE_ARCHIVE
   */
  file(name: string, what: string): Member {
    const shown = shownName(latin1(name));
    let key = resolvePath([], latin1(name));
    if (key === undefined) throw unsafeArchive(`its ${what} is ${shown}, outside the archive`);
    // Docker's archives have one link where a layer is there twice, never a link to a link.
    for (let hops = 0; hops < 8; hops++) {
      const member = this.#files.get(key);
      if (member !== undefined) return member;
      if (!this.#links.has(key)) throw badArchive(`its ${what} ${shown} is not in it`);
      const target = this.#links.get(key);
      if (target === undefined)
        throw unsafeArchive(`its ${what} ${shown} is a link that leads outside the archive`);
      key = target;
    }
    throw badArchive(`its ${what} ${shown} is a link that leads nowhere`);
  }

  /** The file with this content, wherever it is. */
  withDigest(digest: string): Member | undefined {
    return this.#digests.get(digest);
  }

  /** The bytes of a JSON file. */
  text(member: Member, what: string): Buffer {
    if (member.size > JSON_LIMIT)
      throw badArchive(`its ${what} has ${member.size} bytes, over the limit of ${JSON_LIMIT}`);
    return readFileSync(member.path);
  }
}

/** An archive's name of a member, without what says nothing. */
function normalized(name: string): string {
  const path = name.startsWith('/') ? undefined : resolvePath([], name);
  if (path === undefined || path === '')
    throw unsafeArchive(`it has a member called ${shownName(name)}, outside the archive`);
  return path;
}

/** Undefined where it climbs above the root. */
function resolvePath(from: readonly string[], path: string): string | undefined {
  if (path.startsWith('/')) return undefined;
  const parts = [...from];
  for (const part of path.split('/')) {
    if (part === '' || part === '.') continue;
    if (part !== '..') parts.push(part);
    else if (parts.pop() === undefined) return undefined;
  }
  return parts.join('/');
}

/** Names from JSON are text, those of the tar have one character a byte. */
function latin1(text: string): string {
  return Buffer.from(text).toString('latin1');
}

function twice(name: string): Error {
  return badArchive(`it has two different files called ${shownName(name)}`);
}
