import type { StoreEvent } from './note.ts';

/** All of them must hold; of several values of one, any. */
export interface EventFilters {
  /** Names, ids or beginnings of ids. */
  container?: string[];
  /** `start`; `health_status` for all of that. */
  event?: string[];
  /** Names, with or without a tag, or ids. */
  image?: string[];
  /** `KEY` or `KEY=VALUE`. */
  label?: string[];
  /** Names, ids or beginnings of ids. */
  network?: string[];
  type?: string[];
  volume?: string[];
}

export function fitsEvent(event: StoreEvent, filters: EventFilters): boolean {
  const { type, action, id, attributes } = event;
  const any = (values: string[] | undefined, fits: (value: string) => boolean) =>
    values === undefined || values.some(fits);
  return (
    any(filters.type, (value) => value === type) &&
    any(filters.event, (value) => value === action || action.startsWith(`${value}: `)) &&
    any(filters.container, (value) => type === 'container' && isMeant(value, id, attributes.name)) &&
    any(filters.network, (value) => type === 'network' && isMeant(value, id, attributes.name)) &&
    any(filters.volume, (value) => type === 'volume' && value === id) &&
    any(filters.image, (value) =>
      isImage(value, type === 'image' ? (attributes.name ?? id) : attributes.image),
    ) &&
    any(filters.label, (value) => hasLabel(value, attributes))
  );
}

function isMeant(value: string, id: string, name: string | undefined): boolean {
  return value === name || (value !== '' && id.startsWith(value));
}

function isImage(value: string, name: string | undefined): boolean {
  return (
    name !== undefined && (name === value || name === `${value}:latest` || name.split(':', 1)[0] === value)
  );
}

function hasLabel(value: string, attributes: Record<string, string>): boolean {
  const equals = value.indexOf('=');
  const key = equals < 0 ? value : value.slice(0, equals);
  return Object.hasOwn(attributes, key) && (equals < 0 || attributes[key] === value.slice(equals + 1));
}
