import type { Host } from '../host.ts';
import type { DnsOptions } from '../options/names.ts';

/**
 * /etc/resolv.conf of a container: the host's, with what was asked for instead.
 *
 * @param shared whether the network is the host's: then so is its loopback, where its own name servers may be
 */
export function resolvConf(shared: boolean, asked: DnsOptions, host: Host): string {
  const text = host.readText('/etc/resolv.conf') ?? '';
  const isAsked = asked.servers !== undefined || asked.search !== undefined || asked.options !== undefined;
  if (shared && !isAsked) return text;
  const lines = shared ? text.split('\n').map((line) => line.trim()) : reachable(text, host);
  const words = (keyword: string) => lines.filter((line) => line.split(/\s/, 1)[0] === keyword);
  const rest = lines.filter((line) => !/^(nameserver|search|domain|options)(\s|$)/.test(line) && line !== '');
  const { servers, search, options } = asked;
  if (!isAsked) return join(withServers(lines));
  return join([
    ...(servers?.map((server) => `nameserver ${server}`) ?? withServers(words('nameserver'))),
    ...(search === undefined
      ? [...words('search'), ...words('domain')]
      : search.length > 0
        ? [`search ${search.join(' ')}`]
        : []),
    ...(options === undefined
      ? words('options')
      : options.length > 0
        ? [`options ${options.join(' ')}`]
        : []),
    ...rest,
  ]);
}

/** Docker's fall-back: a container must have some server to ask once it has a network. */
function withServers(lines: string[]): string[] {
  if (lines.some((line) => line.startsWith('nameserver'))) return lines;
  return [...DEFAULT_SERVERS.map((server) => `nameserver ${server}`), ...lines];
}

const DEFAULT_SERVERS = ['8.8.8.8', '8.8.4.4'];

/** systemd-resolved's stub listens on the host's loopback; the servers that it asks are in the other file. */
function reachable(text: string, host: Host): string[] {
  const found = servers(text);
  const isStub = found.length > 0 && found.every((server) => server === '127.0.0.53');
  return usefulLines(isStub ? (host.readText('/run/systemd/resolve/resolv.conf') ?? text) : text);
}

/** Without comments, and without servers on the host's loopback, which is not the container's. resolv.conf(5). */
function usefulLines(text: string): string[] {
  return text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !/^[#;]/.test(line))
    .filter((line) => !servers(line).some((server) => /^(127\.|::1(%|$))/.test(server)));
}

function servers(text: string): string[] {
  return [...text.matchAll(/^\s*nameserver\s+(\S+)/gm)].map((match) => match[1] as string);
}

function join(lines: readonly string[]): string {
  return lines.map((line) => `${line}\n`).join('');
}
