/**
 * JSON that somebody else wrote. JSON.parse itself has no trouble with depth, but whatever walks through the result has.
 *
 * @returns undefined where it is no JSON object, or nested more than `DEPTH` deep
 */
export function parseJsonObject(bytes: Buffer): Record<string, unknown> | undefined {
  if (depth(bytes) > DEPTH) return undefined;
  try {
    const value: unknown = JSON.parse(bytes.toString('utf8'));
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : undefined;
  } catch {
    return undefined;
  }
}

/** Real manifests have six levels. */
const DEPTH = 64;

function depth(bytes: Buffer): number {
  let level = 0;
  let deepest = 0;
  let quoted = false;
  for (let index = 0; index < bytes.length; index++) {
    const byte = bytes[index];
    if (byte === QUOTE) quoted = !quoted;
    else if (quoted && byte === BACKSLASH) index++;
    else if (!quoted && (byte === BRACE || byte === BRACKET)) deepest = Math.max(deepest, ++level);
    else if (!quoted && (byte === BRACE + 2 || byte === BRACKET + 2)) level--;
  }
  return deepest;
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const BRACKET = 0x5b;
const BRACE = 0x7b;
