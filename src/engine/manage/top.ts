import { readlinkSync } from 'node:fs';
import { closeDescriptor, TsboxError } from '../../kernel/index.ts';
import { noteEvents, ofContainer } from '../events/note.ts';
import { notRunning, openMain } from '../exec/target.ts';
import { findContainer } from '../find-container.ts';
import { chooseColumns, type ProcessFacts, readFacts } from './process-columns.ts';
import { processesIn } from './processes.ts';

/**
 * The processes of a container as ps(1) on the host would show them.
 *
 * @param options of ps: none for `-ef`; also `aux` and `-o COLUMN[,COLUMN…]`
 * @throws {TsboxError} NO_CONTAINER, AMBIGUOUS_ID, NOT_RUNNING, BAD_OPTION
 */
export function topProcesses(
  reference: string,
  options: readonly string[] = [],
): { titles: string[]; processes: string[][] } {
  const record = findContainer(reference);
  const columns = chooseColumns(options);
  const pidfd = openMain(record);
  if (pidfd === undefined) throw notRunning(record);
  closeDescriptor(pidfd);
  if (record.cgroup === undefined)
    throw new TsboxError('NO_CGROUP', `container ${record.name} has no cgroup to look into`);
  // Not who waits outside its PID namespace for what `exec -d` has started (native/enter.c).
  const ours = pidNamespace(process.pid);
  const shared = pidNamespace(record.pid) === ours;
  const facts = processesIn(record.cgroup)
    .filter((pid) => shared || pidNamespace(pid) !== ours)
    .map(readFacts)
    .filter((each): each is ProcessFacts => each !== undefined)
    .sort((a, b) => a.pid - b.pid);
  noteEvents(ofContainer(record, 'top'));
  return {
    titles: columns.map(({ title }) => title),
    processes: facts.map((each) => columns.map(({ show }) => show(each))),
  };
}

function pidNamespace(pid: number | undefined): string | undefined {
  try {
    return readlinkSync(`/proc/${pid}/ns/pid`);
  } catch {
    return undefined;
  }
}
