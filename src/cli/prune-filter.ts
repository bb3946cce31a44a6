import type { ContainerRecord } from '../index.ts';
import { parseMoment } from './moment.ts';
import { usageError } from './usage.ts';

/** `--filter` of `container prune`: `until`, `label` and `label!`. All must hold. */
export function pruneFilter(command: string, given: readonly string[]): (record: ContainerRecord) => boolean {
  const tests = given.map((filter) => {
    const [, key = '', value = ''] = /^(until|label!?)=(.+)$/s.exec(filter) ?? [];
    if (key === 'until') {
      const until = parseMoment(command, `--filter ${filter}`, value).getTime();
      return ({ created }: ContainerRecord) => Date.parse(created) < until;
    }
    if (key === '')
      throw usageError(
        command,
        `--filter ${filter}: not KEY=VALUE with one of the keys until, label, label!`,
      );
    const [name = '', ...rest] = value.split('=');
    const has = ({ labels = {} }: ContainerRecord) =>
      Object.hasOwn(labels, name) && (rest.length === 0 || labels[name] === rest.join('='));
    return (record: ContainerRecord) => has(record) === (key === 'label');
  });
  return (record) => tests.every((test) => test(record));
}
