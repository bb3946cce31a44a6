import { publicState } from '../public-state.ts';
import { failure, listIds, readState, type StateRecord, type Status, statusOf } from '../state.ts';
import type { Call } from './call.ts';
import { expect, parseFlags } from './flags.ts';
import { print } from './print.ts';

export function state({ place, args }: Call): undefined {
  const { rest } = parseFlags(args, {});
  const [id = ''] = expect(rest, ['container-id']);
  const found = readState(place, id);
  const status = statusOf(place, found);
  const said = {
    pid: 0,
    ...publicState(found, status),
    rootfs: found.rootfs,
    created: found.created,
    owner: owner(found.uid),
    ...(found.warnings && { warnings: found.warnings }),
  };
  print(`${JSON.stringify(said, null, 2)}\n`);
}

export function list({ place, args, log }: Call): undefined {
  const { flags, rest } = parseFlags(args, { quiet: 'bool', format: 'string' }, { q: 'quiet', f: 'format' });
  expect(rest, []);
  const format = flags.string('format') ?? 'table';
  if (format !== 'table' && format !== 'json')
    throw failure('BAD_OPTION', `invalid format option ${JSON.stringify(format)}`);
  const all = listIds(place).flatMap((id) => {
    try {
      const found = readState(place, id);
      return [{ ...found, status: statusOf(place, found) }];
    } catch (error) {
      log.warn((error as Error).message);
      return [];
    }
  });
  if (flags.is('quiet')) print(all.map(({ id }) => `${id}\n`).join(''));
  else if (format === 'json') print(`${all.length === 0 ? 'null' : JSON.stringify(all.map(listed))}\n`);
  else print(table(all));
}

type Listed = StateRecord & { status: Status };

function listed(found: Listed) {
  const { ociVersion, id, status, bundle, rootfs, created, annotations } = found;
  const pid = status === 'stopped' ? 0 : (found.init?.pid ?? 0);
  return { ociVersion, id, pid, status, bundle, rootfs, created, annotations, owner: owner(found.uid) };
}

function table(all: readonly Listed[]): string {
  const rows = [
    ['ID', 'PID', 'STATUS', 'BUNDLE', 'CREATED', 'OWNER'],
    ...all
      .map(listed)
      .map(({ id, pid, status, bundle, created, owner }) => [
        id,
        String(pid),
        status,
        bundle,
        created,
        owner,
      ]),
  ];
  const widths = [0, 1, 2, 3, 4].map(
    (column) => Math.max(...rows.map((row) => (row[column] ?? '').length), 8) + 3,
  );
  return rows
    .map(
      (row) =>
        `${row
          .map((cell, i) => cell.padEnd(widths[i] ?? 0))
          .join('')
          .trimEnd()}\n`,
    )
    .join('');
}

function owner(uid: number): string {
  return uid === 0 ? 'root' : `#${uid}`;
}
