import { TsboxError } from '../../kernel/index.ts';
import { releaseName, takeName } from '../container-directory.ts';
import { noteEvents, ofContainer } from '../events/note.ts';
import { findContainer } from '../find-container.ts';
import { rewriteHosts } from '../network/names.ts';
import { checkName } from '../options/index.ts';
import type { ContainerRecord } from '../record.ts';
import { updateRecord } from '../update-record.ts';
import { gone } from './pause.ts';

/**
 * Gives a container another name, whether it runs or not.
 *
 * @throws {TsboxError} NO_CONTAINER, AMBIGUOUS_ID, BAD_OPTION, NAME_IN_USE
 */
export function renameContainer(reference: string, name: string): void {
  const { id } = findContainer(reference);
  checkName('NEW_NAME', name);
  let before: string | undefined;
  const rename = (record: ContainerRecord) => {
    if (record.name === name) throw new TsboxError('SAME_NAME', `container ${name} is called that already`);
    // If we are killed before the other one is given back, it has two names, which a sweep sees.
    takeName(id, name);
    before = record.name;
    return { ...record, name };
  };
  let renamed: ContainerRecord | undefined;
  try {
    renamed = updateRecord(id, rename);
  } catch (error) {
    // It could not be written down.
    if (before !== undefined) releaseName(name, id);
    throw error;
  }
  if (renamed === undefined) {
    releaseName(name, id);
    throw gone(reference);
  }
  if (before === undefined) return;
  releaseName(before, id);
  if (renamed.network?.leases.length) rewriteHosts(id, renamed.network.leases);
  noteEvents(ofContainer(renamed, 'rename', { oldName: `/${before}` }));
}
