import { listContainers, listImages, listNetworks, listVolumes } from '../index.ts';
import { COMMANDS } from './commands.ts';
import { print } from './output.ts';

/** `tsbox __complete WORDS…`: what the last of the words may become, a line each. Nothing where the shell knows better, as for files. */
export async function complete(words: string[]): Promise<number> {
  const at = words.at(-1) ?? '';
  const before = words.slice(0, -1);
  const candidates = await candidatesFor(before, at);
  // Whoever has written to the store may have named an image `$(reboot)`: what is no plain word is not offered.
  const plain = (each: string) => /^[\w./:@+=~-]+$/.test(each);
  const fitting = [...new Set(candidates)].filter((each) => each.startsWith(at) && plain(each)).sort();
  print(fitting.map((each) => `${each}\n`).join(''));
  return 0;
}

async function candidatesFor([first, ...rest]: string[], at: string): Promise<string[]> {
  if (first === undefined) return Object.keys(COMMANDS).filter((name) => COMMANDS[name]?.summary);
  const group = await groupOf(first);
  if (group !== undefined) {
    const [second] = rest;
    if (second === undefined) return group;
    if (first === 'network') return await inNetworks(second, rest.slice(1), at);
    return first === 'volume'
      ? volumes(second)
      : namesFor(first === 'image' ? `image ${second}` : second, rest.slice(1), at);
  }
  return namesFor(first, rest, at);
}

async function groupOf(name: string): Promise<string[] | undefined> {
  if (name === 'container') return Object.keys((await import('./container.ts')).CONTAINER_COMMANDS);
  if (name === 'network') return Object.keys((await import('./network.ts')).NETWORK_COMMANDS);
  if (name === 'volume') return Object.keys((await import('./volume.ts')).VOLUME_COMMANDS);
  if (name === 'image') return 'history import inspect load ls prune pull push rm save tag'.split(' ');
  return name === 'system' ? ['df', 'info', 'prune', 'start', 'stop', 'sweep'] : undefined;
}

async function namesFor(command: string, given: string[], at: string): Promise<string[]> {
  if (/^(run|create)$/.test(command)) {
    if (/^(-v|--volume)$/.test(given.at(-1) ?? '')) return (await volumes('rm')).map((name) => `${name}:`);
    if (/^--net(work)?$/.test(given.at(-1) ?? '')) return await networks();
    if (at.startsWith('-')) return await flagsOfRun();
    return given.some((word) => images().includes(word)) ? [] : images();
  }
  if (IMAGE_COMMANDS.has(command)) return images();
  if (command === 'inspect') return [...containers(), ...images()];
  if (command === 'cp') return containers().map((name) => `${name}:`);
  const states = CONTAINER_COMMANDS[command];
  if (states === undefined) return [];
  // What follows the container is a command of its own, or a file.
  if (
    /^(exec|commit|export|port|top|rename)$/.test(command) &&
    given.some((word) => containers().includes(word))
  )
    return [];
  return containers(states === 'any' ? undefined : states.split(' '));
}

function containers(states?: readonly string[]): string[] {
  return listContainers()
    .filter(({ status }) => states?.includes(status) ?? true)
    .map(({ name }) => name);
}

function images(): string[] {
  return listImages().flatMap(({ name }) =>
    name.endsWith(':latest') ? [name.slice(0, -7), name] : name || [],
  );
}

async function volumes(command: string): Promise<string[]> {
  return /^(rm|remove|inspect)$/.test(command) ? (await listVolumes()).map(({ name }) => name) : [];
}

async function networks(): Promise<string[]> {
  return (await listNetworks()).map(({ name }) => name);
}

/** Of connect and disconnect, the network first and then the container. */
async function inNetworks(command: string, given: string[], at: string): Promise<string[]> {
  const isBuiltin = (name: string) => ['bridge', 'host', 'none'].includes(name);
  const all = await networks();
  if (command === 'inspect') return all;
  if (/^(rm|remove)$/.test(command)) return all.filter((name) => !isBuiltin(name));
  if (!/^(connect|disconnect)$/.test(command) || at.startsWith('-')) return [];
  return given.some((word) => all.includes(word)) ? containers() : all;
}

async function flagsOfRun(): Promise<string[]> {
  const { RUN_FLAGS } = await import('./run/flags.ts');
  return Object.values(RUN_FLAGS).map(({ flags }) => /--[\w-]+/.exec(flags)?.[0] ?? '');
}

const IMAGE_COMMANDS = new Set(
  'rmi tag push save history'
    .split(' ')
    .flatMap((name) => [name, `image ${name}`])
    .concat('image rm', 'image inspect'),
);
/** Which containers each is for. */
const CONTAINER_COMMANDS: Record<string, string> = {
  __proto__: null as never,
  attach: 'running',
  commit: 'any',
  diff: 'any',
  exec: 'running',
  export: 'any',
  kill: 'running paused',
  logs: 'any',
  pause: 'running',
  port: 'any',
  rename: 'any',
  restart: 'any',
  rm: 'any',
  start: 'created exited',
  stats: 'running paused',
  stop: 'running paused restarting',
  top: 'running',
  unpause: 'paused',
  update: 'any',
  wait: 'any',
};
