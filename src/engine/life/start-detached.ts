import { closeSync, readSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import {
  closeDescriptor,
  openPidfd,
  pipe,
  TsboxError,
  waitHangUp,
  waitReadable,
} from '../../kernel/index.ts';
import { failureError } from '../../launch/index.ts';
import { isExec } from '../../runtime/index.ts';
import { noteEvents, ofContainer, ofNetworks, ofVolumes } from '../events/note.ts';
import { startingInterval } from '../health/config.ts';
import { disconnected } from '../network/disconnected.ts';
import type { NetworkStart, OpenNetwork } from '../network/index.ts';
import { networkFailure } from '../network/network-start.ts';
import { openIfNeeded } from '../network/open-if-needed.ts';
import { containersDirectory } from '../paths.ts';
import { bootId, identify } from '../process-identity.ts';
import { programError } from '../program-error.ts';
import type { ContainerRecord } from '../record.ts';
import { endedRecord } from '../records.ts';
import { discardCgroup } from '../start.ts';
import { updateRecord } from '../update-record.ts';
import { type Attachment, connectTo } from './attach.ts';
import { listenForAttach } from './attach-socket.ts';
import { makeExitFile } from './exit-file.ts';
import { logSettings } from './log-options.ts';
import { layOutForMonitor, monitorArguments } from './monitor-plan.ts';
import { startMonitor } from './monitor-process.ts';
import { openMonitorStreams } from './monitor-streams.ts';
import { prepareAgain } from './prepare-again.ts';

/** How whoever starts a container is connected to it. */
export interface StartRequest {
  /** Of its terminal, if it has one. */
  size?: { columns: number; rows: number } | undefined;
  /** Wants to be connected to its streams before the program begins, so that nothing it writes is missed. */
  connected?: (attachment: Attachment) => void;
}

/**
 * Starts a container with a monitor beside it, and resolves once its program runs and its record says so. Where that fails, the container is as it was
 * before, and its record says why.
 *
 * @param directory the descriptor of its directory, with the owner's lock: the monitor has it from now on. It is not closed here
 * @throws {TsboxError} with exit code 127 or 126 where the program is not there or cannot be run
 */
export async function startDetached(
  record: ContainerRecord,
  directory: number,
  options: StartRequest & { restarts?: number } = {},
): Promise<ContainerRecord> {
  let network: OpenNetwork | undefined;
  try {
    const prepared = prepareAgain(record);
    network = await openIfNeeded(record, prepared.built);
    const recorded = network?.recorded;
    if (recorded) updateRecord(record.id, (now) => ({ ...now, network: recorded }));
    return await attempt(record, prepared, network, directory, options);
  } catch (error) {
    const { message, exitCode = 128 } = error as TsboxError;
    network?.release();
    updateRecord(record.id, (now) => ({ ...disconnected(now), error: message, exitCode }));
    throw error;
  }
}

async function attempt(
  record: ContainerRecord,
  prepared: ReturnType<typeof prepareAgain>,
  network: OpenNetwork | undefined,
  directory: number,
  { size, connected, restarts = 0 }: StartRequest & { restarts?: number },
): Promise<ContainerRecord> {
  const { id } = record;
  const settings = logSettings(record.options ?? {});
  const open: number[] = [];
  const keep = (fd: number) => {
    open.push(fd);
    return fd;
  };
  let connecting: NetworkStart | undefined;
  const exit = makeExitFile(id);
  // What was found the last time says nothing of this one.
  rmSync(join(containersDirectory(), id, 'health.json'), { force: true });
  try {
    const listening = keep(listenForAttach(id, directory));
    if (connected) connected(await connectTo(record));
    if (record.volumes) (await import('../volume/attach.ts')).attachVolumes(record);
    prepared.makeCgroupParents();
    const streams = openMonitorStreams(record, prepared.built.spec, keep);
    connecting = network?.begin();
    const { plan, arena, memory } = layOutForMonitor(prepared.input, connecting, streams.tty, size);
    keep(memory);
    const report = pipe();
    const ack = pipe();
    for (const fd of [report.read, report.write, ack.read, ack.write]) keep(fd);
    const descriptors = new Map([
      [3, directory],
      [4, memory],
      [5, exit],
      [6, listening],
      ...streams.descriptors,
      [14, report.write],
      [15, ack.read],
      ...networkDescriptors(network, connecting),
    ]);
    const args = monitorArguments(id, plan, arena, {
      tty: streams.tty,
      ...settings,
      cgroup: prepared.input.cgroup?.path,
      ...(record.healthCheck && {
        health: [record.healthCheck.interval, startingInterval(record.healthCheck)],
      }),
    });
    const monitor = startMonitor(descriptors, args);
    for (const fd of [...streams.descriptors.values(), listening, report.write, ack.read]) {
      closeDescriptor(fd);
      open.splice(open.indexOf(fd), 1);
    }
    connecting?.abandon();
    network?.handOver();
    const outcome = () => readSync(memory, arena.bytes, 0, arena.outcomeLength, 0);
    const pidOf = () => {
      outcome();
      return arena.slot(plan.pid);
    };
    await connecting?.connect(pidOf, false);
    await waitHangUp(report.read);
    outcome();
    const failure = arena.failure();
    const pid = arena.slot(plan.pid);
    if (failure !== undefined || pid <= 0) {
      await discardCgroup(prepared.input.cgroup?.path);
      // Its part is over; it lets go of the lock.
      await farewell(ack.write, monitor.pid);
      const unconnected = networkFailure(connecting, failure?.step);
      if (unconnected !== undefined) throw unconnected;
      if (failure === undefined)
        throw new TsboxError('START_FAILED', 'the start of the container was killed');
      throw isExec(failure.step) ? programError(prepared, arena, failure.errno) : failureError(failure);
    }
    let calledOff = false;
    const started = updateRecord(id, (now) => {
      // A restart by policy, and somebody wants it stopped meanwhile.
      calledOff = restarts > 0 && now.stopRequested === true;
      if (calledOff) return undefined;
      return {
        ...withoutEnd(now),
        status: 'running',
        pid,
        pidStart: identify(pid)?.start,
        monitor,
        bootId: bootId(),
        started: new Date().toISOString(),
        stopRequested: false,
        ...(now.healthCheck && { health: 'starting' as const }),
        resume: false,
        restartCount: restarts,
        ...(prepared.input.cgroup && { cgroup: prepared.input.cgroup.path }),
      };
    });
    if (calledOff) throw new TsboxError('STOPPED', `container ${record.name} was stopped while it restarted`);
    if (started !== undefined)
      noteEvents(
        ...ofNetworks(started, 'connect'),
        ...ofVolumes(started, 'mount'),
        ofContainer(started, 'start'),
      );
    // Not before it is on disk: should we be killed in between, the monitor ends what nobody knows of.
    if (!tell(ack.write)) {
      // The monitor was killed, and so the container.
      await discardCgroup(prepared.input.cgroup?.path);
      updateRecord(id, (now) => endedRecord(now, undefined));
      throw new TsboxError('START_FAILED', 'the start of the container was killed');
    }
    if (started === undefined)
      throw new TsboxError('NO_CONTAINER', `container ${record.name} was removed while it started`);
    return started;
  } finally {
    connecting?.abandon();
    connecting?.close();
    for (const fd of open) closeDescriptor(fd);
    closeSync(exit);
  }
}

/** 16: what it is connected or joined by; from 18 on, what keeps its ports. */
function networkDescriptors(
  network: OpenNetwork | undefined,
  connecting: NetworkStart | undefined,
): [number: number, fd: number][] {
  const { networkSocket, networkNamespace } = connecting?.input ?? {};
  const own = networkSocket ?? networkNamespace;
  return [
    ...(own === undefined ? [] : ([[16, own]] as [number, number][])),
    ...(network?.descriptors ?? []).map((fd, at): [number, number] => [18 + at, fd]),
  ];
}

/** What its last end left in the record. */
function withoutEnd(record: ContainerRecord): ContainerRecord {
  const { finished: _, exitCode: __, oomKilled: ___, error: ____, ...rest } = record;
  return rest;
}

/** False where nobody listens any more. */
function tell(ack: number): boolean {
  try {
    return writeSync(ack, 'k') === 1;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EPIPE') return false;
    throw error;
  }
}

/** Tells a monitor whose start failed that this is known, and waits until it is gone. */
async function farewell(ack: number, pid: number): Promise<void> {
  let pidfd: number | undefined;
  try {
    pidfd = openPidfd(pid);
    if (tell(ack)) await waitReadable(pidfd);
  } catch (error) {
    // It was killed.
    if ((error as { code?: string }).code !== 'ESRCH') throw error;
  } finally {
    if (pidfd !== undefined) closeDescriptor(pidfd);
  }
}
