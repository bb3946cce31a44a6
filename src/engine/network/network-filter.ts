import { listContainers } from '../records.ts';
import type { NetworkDetails } from './network-details.ts';

/** All of them must hold; of several values of one, any. */
export interface NetworkFilters {
  /** `true`: those that no container is in, or wants to be in when it starts, and that somebody made. */
  dangling?: boolean;
  driver?: string[];
  /** The beginning of an id. */
  id?: string[];
  /** `KEY` or `KEY=VALUE`. */
  label?: string[];
  'label!'?: string[];
  /** A part of the name. */
  name?: string[];
  /** There is only `local`. */
  scope?: string[];
  /** `builtin`: bridge, host and none; `custom`: all others. */
  type?: string[];
  /** Made before then: milliseconds since 1970. */
  until?: number;
}

export function fitsNetwork(network: NetworkDetails, filters: NetworkFilters): boolean {
  const { dangling, driver, id, label, name, scope, type, until } = filters;
  const any = (values: string[] | undefined, fits: (value: string) => boolean) =>
    values === undefined || values.some(fits);
  const has = (wanted: string) => {
    const equals = wanted.indexOf('=');
    const key = equals < 0 ? wanted : wanted.slice(0, equals);
    return (
      Object.hasOwn(network.labels, key) && (equals < 0 || network.labels[key] === wanted.slice(equals + 1))
    );
  };
  return (
    any(driver, (value) => value === network.driver) &&
    any(id, (value) => network.id.startsWith(value)) &&
    any(name, (value) => network.name.includes(value)) &&
    any(scope, (value) => value === 'local') &&
    any(type, (value) => value === (isBuiltin(network) ? 'builtin' : 'custom')) &&
    (label === undefined || label.every(has)) &&
    filters['label!']?.some(has) !== true &&
    (until === undefined || Date.parse(network.created) < until) &&
    (dangling === undefined || (!isBuiltin(network) && !isUsed(network)) === dangling)
  );
}

export function isBuiltin({ name }: { name: string }): boolean {
  return ['bridge', 'host', 'none'].includes(name);
}

/** Whether a container is in it, or would be in it once it is started. */
export function isUsed({ name, id, containers }: NetworkDetails, records = listContainers()): boolean {
  if (containers.length > 0) return true;
  const means = (reference: string) =>
    reference === name || (/^[0-9a-f]{4,}$/.test(reference) && id.startsWith(reference));
  return records.some((record) => record.network?.endpoints.some(({ network }) => means(network)));
}
