import { closeSync, existsSync } from 'node:fs';
import { oomKills, readStats } from '../cgroup/index.ts';
import { closeDescriptor, type Death, reap, signalName, signalPidfd } from '../kernel/index.ts';
import { type ProfileEntry, profileOf } from '../launch/index.ts';
import type { BoundPort } from '../network/nat/port.ts';
import { ChildProgram } from './child-program.ts';
import type { ConnectedStreams } from './connected-streams.ts';
import type { Container, ContainerStats, ExitStatus } from './container.ts';
import { type ContainerDirectory, nameOwner, removeContainerDirectory } from './container-directory.ts';
import { noteEvents, ofContainer, ofVolumes } from './events/note.ts';
import type { ExecOptions, ExecProcess } from './exec/index.ts';
import { exitFile, writeExit } from './life/exit-file.ts';
import { disconnected, mayBeConnected } from './network/disconnected.ts';
import { releaseNetwork } from './network/release.ts';
import type { Startable } from './prepare.ts';
import { type ContainerRecord, readRecord } from './record.ts';
import { discardCgroup, type Started } from './start.ts';
import { updateRecord } from './update-record.ts';
import { discardVolumes } from './volume/discard.ts';

/** A container that this process has started and is the parent of. */
export class RunningContainer extends ChildProgram<ExitStatus> implements Container {
  readonly id: string;
  readonly name: string;
  readonly #started: Started;
  readonly #prepared: Startable;
  readonly #directory: ContainerDirectory;
  readonly #record: ContainerRecord;
  /** Whether the lock was given back. */
  #left = false;

  constructor(
    started: Started,
    prepared: Startable,
    directory: ContainerDirectory,
    streams: ConnectedStreams,
    record: ContainerRecord,
    mayBlock: boolean,
  ) {
    super(started, streams);
    this.id = directory.id;
    this.name = directory.name;
    this.#started = started;
    this.#prepared = prepared;
    this.#directory = directory;
    this.#record = record;
    this.follow(this.#settle(mayBlock));
  }

  protected get title(): string {
    return `container ${this.name}`;
  }

  async stop(): Promise<ExitStatus> {
    const { stopSignal, stopTimeout } = this.#prepared.built;
    if (this.alive) signalPidfd(this.pidfd, stopSignal);
    const timer =
      stopTimeout < 0
        ? undefined
        : setTimeout(() => this.alive && signalPidfd(this.pidfd, SIGKILL), stopTimeout * 1000);
    try {
      return await this.wait();
    } finally {
      clearTimeout(timer);
    }
  }

  async exec(command: readonly string[], options?: ExecOptions): Promise<ExecProcess> {
    const { exec } = await import('./exec/index.ts');
    return exec(this.id, command, options);
  }

  async ports(): Promise<BoundPort[]> {
    return (await import('./manage/index.ts')).containerPorts(this.id);
  }

  async stats(): Promise<ContainerStats> {
    const cgroup = this.#prepared.input.cgroup;
    return cgroup === undefined ? {} : readStats(cgroup.path);
  }

  profile(): ProfileEntry[] {
    const { arena } = this.#started;
    return arena === undefined ? [] : profileOf(arena);
  }

  /**
   * Kills it without waiting for an event, and lets go of it, so that a sweep removes the rest. For the last moments of this process.
   *
   * @returns whether it is dead
   */
  endNow(): boolean {
    if (this.alive) signalPidfd(this.pidfd, SIGKILL);
    // It takes a few milliseconds. A process that cannot be killed (it waits for a dead file server, say) must not keep us.
    for (const end = Date.now() + 2000; this.alive && Date.now() < end; pause(1)) {
      if (reap(this.pidfd) === undefined) continue;
      this.alive = false;
      closeDescriptor(this.pidfd);
    }
    if (!this.#left) closeSync(this.#directory.fd);
    this.#left = true;
    return !this.alive;
  }

  async #settle(mayBlock: boolean): Promise<ExitStatus> {
    const death = await this.death(mayBlock);
    const path = this.#prepared.input.cgroup?.path;
    const status = exitStatus(death, path === undefined ? 0 : oomKills(path), this.#prepared);
    await discardCgroup(path);
    await this.#leave(status);
    await this.streams.drained;
    return status;
  }

  /** The record says how it ended, or all of it goes; then the lock does. */
  async #leave(status: ExitStatus): Promise<void> {
    // Somebody waits for it, who is not its parent.
    if (existsSync(exitFile(this.id))) writeExit(this.id, status);
    const died = ofContainer(this.#record, 'die', { exitCode: String(status.code) });
    const oom = status.oomKilled ? [ofContainer(this.#record, 'oom')] : [];
    const gone = this.#record.rm ? [ofContainer(this.#record, 'destroy')] : [];
    noteEvents(...oom, ...ofVolumes(this.#record, 'unmount'), died, ...gone);
    // It may have been connected to others since.
    if (mayBeConnected(this.#record)) releaseNetwork(readRecord(this.id) ?? this.#record);
    if (this.#record.rm) {
      discardVolumes(this.#record);
      removeContainerDirectory(this.id, nameOf(this.id, this.name));
    } else {
      const ended = {
        status: 'exited' as const,
        exitCode: status.code,
        oomKilled: status.oomKilled,
        finished: new Date().toISOString(),
      };
      // Others may have changed it meanwhile: its name, its limits.
      updateRecord(this.id, ({ pid: _, pidStart: __, ...record }) => ({
        ...disconnected(record),
        ...ended,
      }));
    }
    this.#left = true;
    closeSync(this.#directory.fd);
  }
}

/** It may have been renamed since. */
function nameOf(id: string, name: string): string {
  return nameOwner(name) === id ? name : (readRecord(id)?.name ?? name);
}

function pause(milliseconds: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, milliseconds);
}

function exitStatus(death: Death, kills: number, prepared: Startable): ExitStatus {
  const code = 'code' in death ? death.code : 128 + death.signal;
  const limit = prepared.built.spec.linux.resources?.memory?.limit;
  return {
    code,
    ...('signal' in death && { signal: signalName(death.signal) }),
    // A program that lives on after one of its children was killed says so itself, by its own status.
    oomKilled: kills > 0 && code === 128 + SIGKILL,
    ...(limit !== undefined && limit > 0 && { memoryLimit: limit }),
  };
}

const SIGKILL = 9;
