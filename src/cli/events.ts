import { didYouMean, type EventFilters, events, type StoreEvent } from '../index.ts';
import { collect, defineCommand } from './command.ts';
import { formatValue } from './format.ts';
import { print } from './output.ts';
import { safe } from './safe.ts';
import { usageError } from './usage.ts';

/** `tsbox events` */
export async function eventsCommand(args: string[]): Promise<number> {
  const { filter, format, since, until } = defineCommand({
    usage: 'events [OPTIONS]',
    description: 'Show what happens to containers, images, networks and volumes, until Ctrl-C or --until.',
    examples: [
      ['tsbox events', 'from now on'],
      ['tsbox events --since 1h --until 0s', 'of the last hour'],
      ["tsbox events -f event=die --format '{{.Actor.Attributes.exitCode}}'", 'how containers end'],
    ],
  })
    .option('-f, --filter <key=value>', `Only some: ${KEYS.join(', ')}`, collect)
    .option('--format <format>', 'json, or a Go template with fields like {{.Action}}')
    .option(
      '--since <time>',
      'Also what has happened since then: 2026-11-23T10:00:00, or 10m for ten minutes ago',
    )
    .option('--until <time>', 'Only what happens until then')
    .parse(args, { from: 'user' })
    .opts<{ filter?: string[]; format?: string; since?: string; until?: string }>();
  const filters = readFilters(filter ?? []);
  for await (const event of events({
    filters,
    ...(since !== undefined && { since }),
    ...(until !== undefined && { until }),
  })) {
    if (format === undefined) print(textOf(event));
    else if (format === 'json') print(`${withNanoseconds(safe(JSON.stringify(describe(event))), event)}\n`);
    else print(formatValue('events', format, describe(event)));
  }
  return 0;
}

const KEYS = ['container', 'event', 'image', 'label', 'network', 'type', 'volume'] as const;

function readFilters(given: readonly string[]): EventFilters {
  const filters: EventFilters = {};
  for (const filter of given) {
    const equals = filter.indexOf('=');
    const key = KEYS.find((known) => known === filter.slice(0, Math.max(0, equals)));
    if (key === undefined)
      throw usageError(
        'events',
        `--filter ${filter}: not of the form KEY=VALUE${didYouMean(filter.slice(0, Math.max(0, equals)), KEYS)}; known are ${KEYS.join(', ')}`,
      );
    filters[key] = [...(filters[key] ?? []), filter.slice(equals + 1)];
  }
  return filters;
}

/** As Docker prints it, but in UTC. */
function textOf({ time, type, action, id, attributes }: StoreEvent): string {
  const pairs = Object.keys(attributes)
    .sort()
    .map((key) => `${key}=${attributes[key]}`);
  return `${safe(`${time} ${type} ${action} ${id} (${pairs.join(', ')})`)}\n`;
}

/** With Docker's names, in Docker's order. */
function describe({ time, type, action, id, attributes }: StoreEvent): object {
  const seconds = Math.floor(Date.parse(time) / 1000);
  return {
    ...(type === 'container' && { status: action, id, from: attributes.image }),
    Type: type,
    Action: action,
    Actor: { ID: id, Attributes: attributes },
    scope: 'local',
    time: seconds,
    timeNano: seconds,
  };
}

/** More digits than a number of JavaScript has. */
function withNanoseconds(json: string, { time }: StoreEvent): string {
  return json.replace(/"timeNano":(\d+)\}$/, (_, seconds) => `"timeNano":${seconds}${time.slice(20, 29)}}`);
}
