import type { ContainerRecord } from '../index.ts';
import { usageError } from './usage.ts';

/**
 * `--filter` of `ps`, with Docker's keys. `before` and `since` name another container, of those that are known. Several values of one key mean any of them (of `label`: all), several keys mean all.
 *
 * @returns whether a container is one of those
 */
export function containerFilter(
  filters: readonly string[],
  known: readonly ContainerRecord[] = [],
): (record: ContainerRecord) => boolean {
  const wanted = new Map<Key, string[]>();
  for (const filter of filters) {
    const equals = filter.indexOf('=');
    const key = filter.slice(0, Math.max(equals, 0)) as Key;
    if (!Object.hasOwn(TESTS, key)) {
      const known = Object.keys(TESTS).join(', ');
      throw usageError(
        'ps',
        `--filter ${JSON.stringify(filter)}: not KEY=VALUE with one of the keys ${known}`,
      );
    }
    const value = filter.slice(equals + 1);
    if (key === 'status' && !STATES.includes(value))
      throw usageError('ps', `--filter ${JSON.stringify(filter)}: the states are ${STATES.join(', ')}`);
    if (key === 'exited' && !/^\d{1,3}$/.test(value))
      throw usageError('ps', `--filter ${JSON.stringify(filter)}: not an exit code`);
    if ((key === 'before' || key === 'since') && find(known, value) === undefined)
      throw usageError('ps', `--filter ${JSON.stringify(filter)}: there is no such container`);
    wanted.set(key, [...(wanted.get(key) ?? []), value]);
  }
  return (record) =>
    [...wanted].every(([key, values]) => {
      const test = (value: string) => TESTS[key](record, value, known);
      return key === 'label' ? values.every(test) : values.some(test);
    });
}

/** Whether the filters ask for containers that do not run, which are then listed without `-a`, as in Docker. */
export function asksForEnded(filters: readonly string[]): boolean {
  return filters.some((filter) => /^(status|exited)=/.test(filter));
}

type Key = keyof typeof TESTS;

const STATES = ['created', 'running', 'paused', 'restarting', 'removing', 'exited', 'dead'];

const TESTS = {
  volume: ({ volumes = [] }: ContainerRecord, value: string) =>
    volumes.some(({ name, destination }) => name === value || destination === value),
  id: ({ id }: ContainerRecord, value: string) => id.startsWith(value),
  name: ({ name }: ContainerRecord, value: string) => isNamed(name, value),
  status: ({ status }: ContainerRecord, value: string) => status === value,
  exited: ({ status, exitCode }: ContainerRecord, value: string) =>
    status === 'exited' && exitCode === Number(value),
  label({ labels }: ContainerRecord, value: string) {
    const [key = '', ...rest] = value.split('=');
    return Object.hasOwn(labels, key) && (rest.length === 0 || labels[key] === rest.join('='));
  },
  ancestor({ image, imageId }: ContainerRecord, value: string) {
    const plain = imageId.replace(/^sha256:/, '');
    const short = value.replace(/^sha256:/, '');
    return (
      image === value ||
      `${image}:latest` === value ||
      image === `${value}:latest` ||
      (short.length >= 4 && plain.startsWith(short))
    );
  },
  network: (record: ContainerRecord, value: string) =>
    networksOf(record).includes(value) ||
    (record.network?.leases ?? []).some(({ networkId }) => value.length > 3 && networkId.startsWith(value)),
  publish: ({ network }: ContainerRecord, value: string) =>
    (network?.ports ?? []).some(({ containerPort, protocol }) => isPort(value, containerPort, protocol)),
  expose: ({ network }: ContainerRecord, value: string) =>
    [
      ...(network?.exposed ?? []).map((name) => name.split('/')),
      ...(network?.ports ?? []).map(({ containerPort, protocol }) => [containerPort, protocol]),
    ].some(([port, protocol]) => isPort(value, Number(port), String(protocol))),
  health: ({ health }: ContainerRecord, value: string) => (health ?? 'none') === value,
  before: (record: ContainerRecord, value: string, known: readonly ContainerRecord[]) =>
    record.created < (find(known, value)?.created ?? ''),
  since: (record: ContainerRecord, value: string, known: readonly ContainerRecord[]) =>
    record.created > (find(known, value)?.created ?? record.created),
};

/** The names of the networks that it is in, or will be in when it is started. */
export function networksOf({ network, options }: ContainerRecord): string[] {
  if (network === undefined) return [options?.network ?? 'none'].flat();
  if (network.mode.startsWith('container:')) return [];
  const { endpoints, leases, mode } = network;
  if (leases.length > 0) return leases.map((lease) => lease.network);
  return endpoints.length > 0 ? endpoints.map((endpoint) => endpoint.network) : [mode];
}

/** `80`, `80/tcp`, `8000-8010/udp` */
function isPort(value: string, port: number, protocol: string): boolean {
  const [, first, last = first, wanted = 'tcp'] =
    /^(\d{1,5})(?:-(\d{1,5}))?(?:\/(tcp|udp|sctp))?$/.exec(value) ?? [];
  return first !== undefined && port >= Number(first) && port <= Number(last) && protocol === wanted;
}

/** By name or the beginning of the id. */
function find(known: readonly ContainerRecord[], value: string): ContainerRecord | undefined {
  return known.find(({ name, id }) => name === value || (value.length > 0 && id.startsWith(value)));
}

/**
 * A part of the name, or `^web`, `web$` for its beginning or end. Docker takes any regular expression; one that somebody else has chosen could take
 * for ever here.
 */
function isNamed(name: string, value: string): boolean {
  const part = value.replace(/^\^?\/?/, '').replace(/\$$/, '');
  const begins = !value.startsWith('^') || name.startsWith(part);
  return name.includes(part) && begins && (!value.endsWith('$') || name.endsWith(part));
}
