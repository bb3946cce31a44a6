import { readFileSync } from 'node:fs';
import { processesOf } from '../kill.ts';
import { failure, readState } from '../state.ts';
import type { Call } from './call.ts';
import { expect, parseFlags } from './flags.ts';
import { print } from './print.ts';

export function ps({ place, args }: Call): undefined {
  const { flags, rest } = parseFlags(args, { format: 'string' }, { f: 'format' });
  const [id = ''] = expect(rest, ['container-id']);
  const format = flags.string('format') ?? 'table';
  if (format !== 'table' && format !== 'json')
    throw failure('BAD_OPTION', `invalid format option ${JSON.stringify(format)}`);
  const pids = processesOf(readState(place, id).cgroup);
  if (format === 'json') print(`${JSON.stringify(pids)}\n`);
  else print(['UID        PID    PPID  CMD\n', ...pids.flatMap(line)].join(''));
}

/** None where it has ended meanwhile. */
function line(pid: number): string[] {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    const of = (key: string) => new RegExp(`^${key}:\\s*(\\S+)`, 'm').exec(status)?.[1] ?? '?';
    const args = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim();
    // A process of the container may be called anything.
    const command = (args || `[${of('Name')}]`).replace(/\p{Cc}/gu, '?');
    return [`${of('Uid').padEnd(5)} ${String(pid).padStart(8)} ${of('PPid').padStart(7)}  ${command}\n`];
  } catch {
    return [];
  }
}
