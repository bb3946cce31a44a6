import { TsboxError } from '../kernel/index.ts';
import type { ImageConfig } from './stored-image.ts';

/**
 * Applies instructions in the manner of a Dockerfile to an image's configuration: CMD, ENTRYPOINT, ENV, EXPOSE, LABEL, STOPSIGNAL, USER,
 * VOLUME and WORKDIR, as `docker import --change` takes them.
 *
 * @throws {TsboxError} BAD_CHANGE
 */
export function applyChanges(config: ImageConfig, changes: readonly string[]): ImageConfig {
  let changed = config;
  for (const change of changes) {
    const match = /^\s*([A-Za-z]+)\s+(.*\S)\s*$/s.exec(change);
    const instruction = INSTRUCTIONS[(match?.[1] ?? '').toUpperCase()];
    if (match === null || instruction === undefined) {
      throw badChange(change, 'it is none of', Object.keys(INSTRUCTIONS).join(', '));
    }
    changed = { ...changed, ...instruction(match[2] as string, changed) };
  }
  return changed;
}

type Instruction = (text: string, config: ImageConfig) => ImageConfig;

const INSTRUCTIONS: Record<string, Instruction> = {
  CMD: (text) => ({ Cmd: command(text) }),
  ENTRYPOINT: (text) => ({ Entrypoint: command(text) }),
  ENV: (text, { Env = [] }) => ({ Env: withEnvironment(Env, pairs(text)) }),
  EXPOSE: (text, { ExposedPorts }) => ({ ExposedPorts: { ...ExposedPorts, ...keys(words(text).map(port)) } }),
  LABEL: (text, { Labels }) => ({ Labels: { ...Labels, ...Object.fromEntries(pairs(text)) } }),
  STOPSIGNAL: (text) => ({ StopSignal: text }),
  USER: (text) => ({ User: text }),
  VOLUME: (text, { Volumes }) => ({ Volumes: { ...Volumes, ...keys(jsonWords(text) ?? words(text)) } }),
  WORKDIR: (text) => ({ WorkingDir: text }),
};

/** The JSON form is the program itself; other text is for a shell, as in a Dockerfile. */
function command(text: string): string[] {
  return jsonWords(text) ?? ['/bin/sh', '-c', text];
}

function jsonWords(text: string): string[] | undefined {
  if (!text.startsWith('[')) return undefined;
  try {
    const value: unknown = JSON.parse(text);
    if (Array.isArray(value) && value.every((word) => typeof word === 'string')) return value;
  } catch {
    // Said below.
  }
  throw badChange(text, 'it is not a JSON array of strings such as', '["sh", "-c", "exit 1"]');
}

/** `NAME=VALUE NAME="two words"`, or the old form `NAME VALUE`. */
function pairs(text: string): [string, string][] {
  if (!/^[^\s=]+=/.test(text)) {
    const [, name = '', value = ''] = /^(\S+)\s*(.*)$/s.exec(text) ?? [];
    return [[name, value]];
  }
  return words(text).map((word) => {
    const equals = word.indexOf('=');
    if (equals < 1) throw badChange(word, 'it is not', 'NAME=VALUE');
    return [word.slice(0, equals), word.slice(equals + 1)];
  });
}

function withEnvironment(env: readonly string[], added: readonly [string, string][]): string[] {
  const names = new Set(added.map(([name]) => name));
  return [
    ...env.filter((each) => !names.has(each.split('=', 1)[0] as string)),
    ...added.map((pair) => pair.join('=')),
  ];
}

/** Words of a line; quotes hold together what spaces would separate. */
function words(text: string): string[] {
  const found = text.match(/(?:[^\s"'\\]|\\.|"(?:[^"\\]|\\.)*"|'[^']*')+/gs) ?? [];
  return found.map((word) =>
    word.replace(
      /\\(.)|"((?:[^"\\]|\\.)*)"|'([^']*)'/gs,
      (_, escaped, double, single) => escaped ?? single ?? (double as string).replace(/\\(.)/gs, '$1'),
    ),
  );
}

function port(text: string): string {
  const [, number = '', protocol = 'tcp'] = /^(\d{1,5})(?:\/(tcp|udp|sctp))?$/.exec(text) ?? [];
  if (number === '' || Number(number) < 1 || Number(number) > 65535)
    throw badChange(text, 'it is not a port such as', '80 or 53/udp');
  return `${Number(number)}/${protocol}`;
}

function keys(names: readonly string[]): Record<string, object> {
  return Object.fromEntries(names.map((name) => [name, {}]));
}

function badChange(text: string, problem: string, expected: string): TsboxError {
  return new TsboxError('BAD_CHANGE', `cannot apply the change \`${text}\`: ${problem} ${expected}`);
}
