import type { ProvidedFile } from '../../runtime/plan-input.ts';
import type { Host } from '../host.ts';

/**
 * /etc/hostname, /etc/hosts and /etc/resolv.conf, as Docker writes them; with the host's network, the host's own.
 *
 * @param mounted where something is mounted already: what was asked for stays
 */
export function buildFiles(
  hostname: string,
  network: string,
  mounted: ReadonlySet<string>,
  host: Host,
): ProvidedFile[] {
  const shared = network === 'host';
  const files = [
    { path: '/etc/hostname', content: `${hostname}\n` },
    { path: '/etc/hosts', content: (shared ? host.readText('/etc/hosts') : undefined) ?? defaultHosts },
    { path: '/etc/resolv.conf', content: resolvConf(shared, host) },
  ];
  return files.filter(({ path }) => !mounted.has(path)).map((file) => ({ ...file, mode: 0o644 }));
}

const defaultHosts = [
  '127.0.0.1\tlocalhost',
  '::1\tlocalhost ip6-localhost ip6-loopback',
  'fe00::\tip6-localnet',
  'ff00::\tip6-mcastprefix',
  'ff02::1\tip6-allnodes',
  'ff02::2\tip6-allrouters',
  '',
].join('\n');

/** Docker's fall-back: a container must have some server to ask once it has a network. */
const defaultServers = ['8.8.8.8', '8.8.4.4'];

function resolvConf(shared: boolean, host: Host): string {
  const text = host.readText('/etc/resolv.conf') ?? '';
  if (shared) return text;
  let lines = usefulLines(text);
  // systemd-resolved's stub listens on the host's loopback; the servers that it asks are in the other file.
  if (servers(text).length > 0 && servers(text).every((server) => server === '127.0.0.53')) {
    lines = usefulLines(host.readText('/run/systemd/resolve/resolv.conf') ?? text);
  }
  if (!lines.some((line) => line.startsWith('nameserver'))) {
    lines = [...defaultServers.map((server) => `nameserver ${server}`), ...lines];
  }
  return lines.map((line) => `${line}\n`).join('');
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
