import { parseAddress } from '../../network/address/index.ts';
import type { RunOptions } from '../run-options.ts';
import { badOption } from './bad-option.ts';

/** What resolv.conf(5) of a container is to have; undefined: as the host's. */
export interface DnsOptions {
  servers?: string[];
  /** None where it is empty. */
  search?: string[];
  options?: string[];
}

/** A line of /etc/hosts. */
export interface ExtraHost {
  name: string;
  /** Undefined: the host's, as it is seen from the container (`host-gateway`). */
  address?: string;
}

/**
 * What `--dns`, `--dns-search` and `--dns-option` say. Each becomes a word in a file of lines.
 *
 * @throws BAD_OPTION
 */
export function dnsOptions(options: Pick<RunOptions, 'dns' | 'dnsSearch' | 'dnsOption'>): DnsOptions {
  const { dns, dnsSearch, dnsOption } = options;
  return {
    ...(dns !== undefined && { servers: dns.map(checkServer) }),
    // Docker's word for none at all.
    ...(dnsSearch !== undefined && { search: dnsSearch.map(checkSearch).filter((domain) => domain !== '.') }),
    ...(dnsOption !== undefined && { options: dnsOption.map(checkOption) }),
  };
}

/** `NAME:ADDRESS`, `NAME=ADDRESS`, with brackets around IPv6 if you like; `host-gateway` for an address. @throws BAD_OPTION */
export function extraHosts({ addHost = [] }: Pick<RunOptions, 'addHost'>): ExtraHost[] {
  return addHost.map((text) => {
    const [, name = '', given = ''] = /^([^:=]*)[:=](.*)$/s.exec(text) ?? [];
    if (!/^[a-zA-Z0-9_]([a-zA-Z0-9_.-]{0,251}[a-zA-Z0-9_])?$/.test(name))
      throw badOption('--add-host', text, 'not of the form NAME:ADDRESS', 'db:10.1.2.3');
    if (given === 'host-gateway') return { name };
    const address = /^\[(.*)\]$/.exec(given)?.[1] ?? given;
    if (parseAddress(address) === undefined)
      throw badOption('--add-host', text, 'not an address', 'db:10.1.2.3');
    return { name, address };
  });
}

/** With a zone too: the server may be on a link. */
function checkServer(server: string): string {
  const [, address = ''] = /^(.*?)(?:%[\w.-]{1,15})?$/.exec(server) ?? [];
  if (parseAddress(address) === undefined || (address !== server && !address.includes(':')))
    throw badOption('--dns', server, 'not an address', '9.9.9.9');
  return server;
}

function checkSearch(domain: string): string {
  if (domain !== '.' && !/^[a-zA-Z0-9_]([a-zA-Z0-9_.-]{0,252}[a-zA-Z0-9_.])?$/.test(domain))
    throw badOption('--dns-search', domain, 'not a domain', 'example.com');
  return domain;
}

function checkOption(option: string): string {
  if (!/^[\x21-\x7e]{1,100}$/.test(option))
    throw badOption('--dns-option', option, 'not one word', 'ndots:2');
  return option;
}
