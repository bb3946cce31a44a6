/** One way to authenticate that a server offers. */
export interface Challenge {
  /** In lower case: `bearer`, `basic`. */
  scheme: string;
  /** Names in lower case. */
  parameters: Record<string, string>;
}

/**
 * Reads WWW-Authenticate, which may hold several challenges, each with parameters that may be quoted and have commas and escapes in
 * them. RFC 9110, section 11.6.1. What is no challenge ends the reading: what was read before counts.
 */
export function parseChallenges(header: string): Challenge[] {
  const challenges: Challenge[] = [];
  let rest = header;
  for (;;) {
    rest = rest.replace(/^[\s,]+/, '');
    const parameter = PARAMETER.exec(rest);
    const last = challenges.at(-1);
    if (parameter !== null && last !== undefined) {
      const [all, name = '', quoted, plain] = parameter;
      const value = quoted === undefined ? (plain as string) : quoted.replace(/\\(.)/g, '$1');
      // The first counts: a second one of the same name is not allowed.
      last.parameters[name.toLowerCase()] ??= value;
      rest = rest.slice(all.length);
      continue;
    }
    const scheme = SCHEME.exec(rest);
    if (scheme === null) return challenges;
    challenges.push({ scheme: (scheme[1] as string).toLowerCase(), parameters: Object.create(null) });
    rest = rest.slice(scheme[0].length);
  }
}

const TOKEN = "[!#$%&'*+.^_`|~0-9A-Za-z-]+";
const PARAMETER = new RegExp(`^(${TOKEN})\\s*=\\s*(?:"((?:[^"\\\\]|\\\\.)*)"|(${TOKEN}))(?=\\s*(?:,|$))`);
/** A name, and what some schemes have in place of parameters (token68), which those that we know have not. */
const SCHEME = new RegExp(`^(${TOKEN})(?:\\s+[A-Za-z0-9._~+/-]+=*(?=\\s*(?:,|$)))?(?:\\s+|(?=,|$))`);
