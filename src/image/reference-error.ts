import { splitRegistry } from './split-registry.ts';

/** Which part of a reference is wrong, and what to write instead. Called only for those that are wrong. */
export function explainReference(text: string): { message: string; advice: string } {
  const { part, wrong, instead } = findFault(text);
  const shown = text.length > 100 ? `${text.slice(0, 100)}…` : text;
  const message = `\`${shown}\` is not a name for an image: ${part === '' ? '' : `${part} `}${wrong}`;
  return { message, advice: instead ?? 'a name looks like alpine, alpine:3.20 or ghcr.io/owner/app:1.0' };
}

interface Fault {
  /** `the tag`; empty where it is all of it. */
  part: string;
  wrong: string;
  instead?: string | undefined;
}

function findFault(text: string): Fault {
  if (text === '') return { part: '', wrong: 'it is empty' };
  if (text.length > 1000) return { part: '', wrong: `it is too long: ${text.length} characters` };
  if (/^[0-9a-f]{64}$/.test(text))
    return {
      part: '',
      wrong: 'it looks like the id of one',
      instead: `to name an image by its id: sha256:${text}`,
    };
  const scheme = /^[a-z][a-z0-9+-]*:\/\/(.*)$/is.exec(text);
  if (scheme !== null) return { part: '', wrong: 'it is a URL', instead: `without the scheme: ${scheme[1]}` };
  const blank = /[\s\p{Cc}]/u.exec(text)?.[0];
  if (blank !== undefined) return { part: '', wrong: `it has ${JSON.stringify(blank)} in it` };
  const at = text.indexOf('@');
  const beforeDigest = at < 0 ? text : text.slice(0, at);
  // A colon after the last slash: before it, it is a port's.
  const colon = beforeDigest.indexOf(':', beforeDigest.lastIndexOf('/') + 1);
  const name = colon < 0 ? beforeDigest : beforeDigest.slice(0, colon);
  return (
    faultOfName(name, text.slice(name.length)) ??
    (colon < 0 ? undefined : faultOfTag(beforeDigest.slice(colon + 1), name)) ??
    (at < 0 ? undefined : faultOfDigest(text.slice(at + 1))) ?? { part: '', wrong: 'it is too long' }
  );
}

function faultOfName(name: string, suffix: string): Fault | undefined {
  if (name === '') return { part: 'the name', wrong: 'is missing' };
  const { registry, rest } = splitRegistry(name);
  const fault = registry === undefined ? undefined : faultOfRegistry(registry, rest);
  if (fault !== undefined) return fault;
  for (const component of rest.split('/')) {
    const part = component === rest ? 'the name' : `the path component \`${component.slice(0, 60)}\``;
    if (component === '') return { part: 'the path', wrong: 'has an empty component: a `/` too many' };
    if (/[A-Z]/.test(component)) {
      const lower = `${name.slice(0, name.length - rest.length)}${rest.toLowerCase()}${suffix}`;
      return { part, wrong: 'has upper-case letters', instead: `names are in lower case: ${lower}` };
    }
    const bad = /[^a-z0-9._-]/.exec(component)?.[0];
    if (bad !== undefined) return { part, wrong: `has ${JSON.stringify(bad)} in it`, instead: COMPONENT };
    if (!/^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*$/.test(component)) {
      const edge = /^[._-]|[._-]$/.test(component);
      const wrong = edge ? 'begins or ends with a separator' : 'has separators beside each other';
      return { part, wrong, instead: COMPONENT };
    }
  }
  if (name.length <= 255 - (registry === undefined ? 'docker.io/library/'.length : 0)) return undefined;
  return {
    part: 'the name',
    wrong: `is too long: ${name.length} characters, where 255 are allowed with the registry`,
  };
}

function faultOfRegistry(registry: string, rest: string): Fault | undefined {
  const [, host = '', port] = /^(\[[^\]]*\]|[^:]*)(?::(.*))?$/s.exec(registry) ?? [];
  if (port !== undefined && (!/^\d{1,5}$/.test(port) || Number(port) > 65535))
    return { part: `the port \`${port.slice(0, 60)}\``, wrong: 'is no number from 0 to 65535' };
  const label = '[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?';
  const valid = new RegExp(`^(?:${label}(?:\\.${label})*|\\[[0-9a-fA-F:]+\\])$`).test(host);
  if (valid && URL.canParse(`http://${registry}`)) return undefined;
  // `Owner/app` was hardly meant as a host.
  const instead = /^[a-zA-Z0-9_-]+$/.test(registry)
    ? `names are in lower case: ${registry.toLowerCase()}/${rest}`
    : undefined;
  return { part: `the host \`${host.slice(0, 60)}\``, wrong: 'is no host name or address', instead };
}

function faultOfTag(tag: string, name: string): Fault | undefined {
  if (tag === '') return { part: 'the tag', wrong: 'is empty', instead: `for the newest: ${name}` };
  if (tag.length > 128)
    return { part: 'the tag', wrong: `is too long: ${tag.length} characters, where 128 are allowed` };
  const bad = /[^A-Za-z0-9_.-]/.exec(tag)?.[0];
  const instead = 'a tag has letters, digits, `_`, `.` and `-`, and begins with none of the last two';
  if (bad !== undefined) return { part: 'the tag', wrong: `has ${JSON.stringify(bad)} in it`, instead };
  return /^[.-]/.test(tag) ? { part: 'the tag', wrong: `begins with \`${tag[0]}\``, instead } : undefined;
}

function faultOfDigest(digest: string): Fault | undefined {
  const instead = 'a digest is `sha256:` and 64 hexadecimal digits in lower case';
  const part = 'the digest';
  const [, algorithm, hex = ''] = /^([^:]*):(.*)$/s.exec(digest) ?? [];
  if (algorithm === undefined) return { part, wrong: 'names no algorithm', instead };
  if (algorithm !== 'sha256')
    return { part, wrong: `is made with \`${algorithm.slice(0, 30)}\`, which is not supported`, instead };
  if (/^[0-9a-f]{64}$/.test(hex)) return undefined;
  if (!/^[0-9a-f]*$/.test(hex))
    return { part, wrong: 'has something else than digits and a to f in it', instead };
  return { part, wrong: `has ${hex.length} digits in place of 64`, instead };
}

const COMPONENT =
  'each part of a name has lower-case letters and digits, with `.`, `_`, `__` or dashes only between them';
