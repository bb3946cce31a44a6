import { randomHex } from '../../kernel/index.ts';
import { noteEvents, ofContainer } from '../events/note.ts';
import type { ContainerRecord } from '../record.ts';
import type { ExecStatus } from './exec-process.ts';

/**
 * The events of one `exec`, in Docker's words: that it was started, at once, and later how it ended. Of one that nobody waits for (`exec -d`, or once it was let go
 * of) nobody of ours learns the end: its parent is in the container's cgroup, where nothing of the host's is to run.
 */
export class ExecNotes {
  readonly #record: ContainerRecord;
  readonly #execID = randomHex(64);

  constructor(record: ContainerRecord, command: readonly string[]) {
    this.#record = record;
    const words = command.join(' ').slice(0, 1000);
    noteEvents(this.#event(`exec_create: ${words}`), this.#event(`exec_start: ${words}`));
  }

  died({ code }: ExecStatus): void {
    noteEvents(this.#event('exec_die', { exitCode: String(code) }));
  }

  detached(): void {
    noteEvents(this.#event('exec_detach'));
  }

  #event(action: string, more: Record<string, string> = {}) {
    return ofContainer(this.#record, action, { execID: this.#execID, ...more });
  }
}
