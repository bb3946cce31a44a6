/** Everything about a container, in the form of Docker's API, so that what people have written for that works here. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { inspectImage } from '../../image/store/inspect.ts';
import { bytesOnDisk } from '../../image/store/usage.ts';
import { readConfig } from '../config-file.ts';
import { findContainer } from '../find-container.ts';
import { readHealth } from '../health/results.ts';
import { containersDirectory } from '../paths.ts';
import type { ContainerRecord } from '../record.ts';
import { currentRecord } from '../records.ts';
import { describeConfig } from './config.ts';
import { describeHostConfig } from './host-config.ts';
import { describeMounts } from './mounts.ts';
import { describeNetworkSettings } from './network-settings.ts';

/** Docker's names, in Docker's order. What tsbox has no such thing of is empty, as it is in Docker where it is not used. */
export interface ContainerDescription {
  Id: string;
  Created: string;
  Path: string;
  Args: string[];
  State: ContainerState;
  Image: string;
  ResolvConfPath: string;
  HostnamePath: string;
  HostsPath: string;
  LogPath: string;
  Name: string;
  RestartCount: number;
  Driver: string;
  Platform: string;
  MountLabel: string;
  ProcessLabel: string;
  AppArmorProfile: string;
  ExecIDs: string[] | null;
  HostConfig: Record<string, unknown>;
  GraphDriver: { Name: string; Data: Record<string, string> };
  SizeRw?: number;
  SizeRootFs?: number;
  Mounts: Record<string, unknown>[];
  Config: Record<string, unknown>;
  NetworkSettings: Record<string, unknown>;
}

export interface ContainerState {
  Status: string;
  Running: boolean;
  Paused: boolean;
  Restarting: boolean;
  OOMKilled: boolean;
  Dead: boolean;
  Pid: number;
  ExitCode: number;
  Error: string;
  StartedAt: string;
  FinishedAt: string;
  Health?: { Status: string; FailingStreak: number; Log: unknown[] };
}

/** @throws {TsboxError} NO_CONTAINER, AMBIGUOUS_ID, NO_CONFIG */
export function inspectContainer(reference: string, options: { size?: boolean } = {}): ContainerDescription {
  const found = findContainer(reference);
  const record = currentRecord(found.id) ?? found;
  const spec = readConfig(record.id);
  const directory = join(containersDirectory(), record.id);
  const [Path = '', ...Args] = spec.process.args;
  return {
    Id: record.id,
    Created: record.created,
    ...{ Path, Args },
    State: describeState(record),
    Image: record.imageId,
    ...providedPaths(directory),
    LogPath: readdirSync(directory).includes('container.log') ? join(directory, 'container.log') : '',
    Name: `/${record.name}`,
    RestartCount: record.restartCount ?? 0,
    Driver: 'overlay',
    Platform: 'linux',
    ...{ MountLabel: '', ProcessLabel: '' },
    AppArmorProfile: spec.process.apparmorProfile ?? '',
    ExecIDs: null,
    HostConfig: describeHostConfig(record, spec),
    GraphDriver: {
      Name: 'overlay',
      Data: {
        LowerDir: (record.layers ?? []).toReversed().join(':'),
        UpperDir: join(directory, 'upper'),
        WorkDir: join(directory, 'work'),
      },
    },
    ...(options.size && sizes(record, directory)),
    Mounts: describeMounts(spec, record.volumes),
    Config: describeConfig(record, spec),
    NetworkSettings: describeNetworkSettings(record, spec),
  };
}

function describeState(record: ContainerRecord): ContainerState {
  const { status, health } = record;
  const running = status === 'running' || status === 'paused' || status === 'restarting';
  return {
    Status: status,
    Running: running,
    Paused: status === 'paused',
    Restarting: status === 'restarting',
    OOMKilled: record.oomKilled ?? false,
    Dead: status === 'dead',
    Pid: (status === 'running' || status === 'paused' ? record.pid : undefined) ?? 0,
    ExitCode: running ? 0 : (record.exitCode ?? 0),
    Error: record.error ?? '',
    StartedAt: record.started ?? NEVER,
    FinishedAt: record.finished ?? NEVER,
    ...(health !== undefined && { Health: describeHealth(record.id, health) }),
  };
}

/** Files of the container's directory where it is in a network; otherwise tsbox mounts them from memory, and they are no files of the host. */
function providedPaths(
  directory: string,
): Pick<ContainerDescription, 'ResolvConfPath' | 'HostnamePath' | 'HostsPath'> {
  const there = readdirSync(directory);
  const path = (name: string) => (there.includes(name) ? join(directory, name) : '');
  return { ResolvConfPath: path('resolv.conf'), HostnamePath: path('hostname'), HostsPath: path('hosts') };
}

function describeHealth(id: string, status: string): NonNullable<ContainerState['Health']> {
  const { failingStreak, log } = readHealth(id);
  return {
    Status: status,
    FailingStreak: failingStreak,
    Log: log.map(({ start, end, exitCode, output }) => ({
      Start: start,
      End: end,
      ExitCode: exitCode,
      Output: output,
    })),
  };
}

/** Go's zero time, which Docker writes for what has not happened. */
const NEVER = '0001-01-01T00:00:00Z';

function sizes(record: ContainerRecord, directory: string): { SizeRw: number; SizeRootFs: number } {
  const own = bytesOnDisk(join(directory, 'upper'));
  let image = 0;
  try {
    image = inspectImage(record.imageId).Size;
  } catch {
    // It was removed by force; the layers are there as long as the container is.
  }
  return { SizeRw: own, SizeRootFs: own + image };
}
