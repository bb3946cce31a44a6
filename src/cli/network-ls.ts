import { listNetworks, type NetworkDetails } from '../index.ts';
import { collect, defineCommand } from './command.ts';
import { type Columns, formatRows, type Row } from './format.ts';
import { readNetworkFilters } from './network-filters.ts';
import { print } from './output.ts';
import { withLabels } from './row-labels.ts';
import { timestamp } from './units.ts';

const COLUMNS: Columns = [
  ['NETWORK ID', 'ID'],
  ['NAME', 'Name'],
  ['DRIVER', 'Driver'],
  ['SCOPE', 'Scope'],
];

/** `tsbox network ls` */
export async function networkLs(args: string[]): Promise<number> {
  const { filter, format, quiet, trunc } = defineCommand({
    usage: 'network ls [OPTIONS]',
    description: 'List networks.',
    examples: [
      ['tsbox network ls', 'a table'],
      ['tsbox network ls -q --filter type=custom', 'IDs of those that somebody made'],
    ],
  })
    .option('-f, --filter <key=value>', `Only some: ${KEYS.join(', ')}`, collect)
    .option('--format <format>', 'json, or text with {{.Name}} in it')
    .option('--no-trunc', 'Print IDs in full')
    .option('-q, --quiet', 'Print only the IDs')
    .parse(args, { from: 'user' })
    .opts<{ filter?: string[]; format?: string; quiet?: boolean; trunc: boolean }>();
  const networks = await listNetworks(readNetworkFilters('network ls', filter ?? [], KEYS));
  const rows = networks.map((network) => networkRow(network, trunc));
  print(quiet ? rows.map(({ ID }) => `${ID}\n`).join('') : formatRows('network ls', COLUMNS, rows, format));
  return 0;
}

const KEYS = ['dangling', 'driver', 'id', 'label', 'name', 'scope', 'type'] as const;

function networkRow(network: NetworkDetails, short: boolean): Row {
  const { id, name, driver, ipv6, internal, labels, created, subnets } = network;
  const row: Row = {
    CreatedAt: timestamp(created),
    Driver: driver,
    ID: short ? id.slice(0, 12) : id,
    IPv4: String(subnets.length > 0),
    IPv6: String(ipv6),
    Internal: String(internal),
    Labels: Object.entries(labels)
      .map(([key, value]) => `${key}=${value}`)
      .join(','),
    Name: name,
    Scope: 'local',
  };
  return withLabels(row, labels);
}
