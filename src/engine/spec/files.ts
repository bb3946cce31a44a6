import type { ProvidedFile } from '../../runtime/plan-input.ts';
import type { Host } from '../host.ts';
import { badOption } from '../options/bad-option.ts';
import { dnsOptions, extraHosts } from '../options/names.ts';
import { networkKind } from '../options/network-mode.ts';
import type { RunOptions } from '../run-options.ts';
import { resolvConf } from './resolv-conf.ts';

/**
 * /etc/hostname, /etc/hosts and /etc/resolv.conf, as Docker writes them; with the host's network, the host's own.
 *
 * @param options what there is to be in them
 * @param mounted where something is mounted already: what was asked for stays
 */
export function buildFiles(
  hostname: string,
  options: Pick<RunOptions, 'network' | 'dns' | 'dnsSearch' | 'dnsOption' | 'addHost'>,
  mounted: ReadonlySet<string>,
  host: Host,
): ProvidedFile[] {
  const shared = networkKind(options) === 'host';
  const hosts = (shared ? host.readText('/etc/hosts') : undefined) ?? defaultHosts;
  const files = [
    { path: '/etc/hostname', content: `${hostname}\n` },
    { path: '/etc/hosts', content: withHosts(hosts, options) },
    { path: '/etc/resolv.conf', content: resolvConf(shared, dnsOptions(options), host) },
  ];
  return files.filter(({ path }) => !mounted.has(path)).map((file) => ({ ...file, mode: 0o644 }));
}

/** With what was asked for. `host-gateway` in a network of tsbox's is written once the container has its addresses: src/engine/network/names.ts. */
function withHosts(text: string, options: Pick<RunOptions, 'network' | 'addHost'>): string {
  const kind = networkKind(options);
  const lines = extraHosts(options).flatMap(({ name, address }) => {
    if (address !== undefined) return `${address}\t${name}\n`;
    if (kind === 'none')
      throw badOption(
        '--add-host',
        `${name}:host-gateway`,
        'there is no way to the host with --network none',
      );
    return kind === 'host' ? `127.0.0.1\t${name}\n` : [];
  });
  return lines.length === 0 ? text : `${text.replace(/\n?$/, '\n')}${lines.join('')}`;
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
