/**
 * `--systemd-cgroup`: the container's group is a scope of systemd's, made over its D-Bus (org.freedesktop.systemd1(5)). Loaded only where that is asked for.
 */
import { existsSync } from 'node:fs';
import type { LimitWrite } from '../../cgroup/limit-write.ts';
import { failure } from '../state.ts';
import { Bus, type Message } from './bus.ts';
import { startHolder } from './holder.ts';
import type { UnitName } from './names.ts';
import { limitProperties, type Property } from './properties.ts';

export { unitName } from './names.ts';

/**
 * Starts a scope, with a process in it that only waits.
 *
 * @returns its group below the mount point of cgroup v2, and what ends that process, once the container is there
 * @throws {TsboxError} where systemd does not run, or does not want
 */
export async function startScope(
  { slice, unit }: UnitName,
  id: string,
  writes: readonly LimitWrite[],
): Promise<{ group: string; release: () => void }> {
  const bus = await connect();
  const holder = startHolder();
  try {
    const properties: Property[] = [
      ['Description', { signature: 's', value: `container ${id}` }],
      ['Slice', { signature: 's', value: slice }],
      // Its limits and groups below it are ours to change.
      ['Delegate', { signature: 'b', value: true }],
      ['DefaultDependencies', { signature: 'b', value: false }],
      ['CollectMode', { signature: 's', value: 'inactive-or-failed' }],
      ['MemoryAccounting', { signature: 'b', value: true }],
      ['CPUAccounting', { signature: 'b', value: true }],
      ['IOAccounting', { signature: 'b', value: true }],
      ['TasksAccounting', { signature: 'b', value: true }],
      ['PIDs', { signature: 'au', value: [holder.pid] }],
      ...limitProperties(writes),
    ];
    await runJob(bus, 'StartTransientUnit', 'ssa(sv)a(sa(sv))', [unit, 'replace', properties, []]);
    const [path] = await bus.call(SYSTEMD, MANAGER, [FACE, 'GetUnit'], 's', [unit]);
    const face = ['org.freedesktop.DBus.Properties', 'Get'] as const;
    const asked = ['org.freedesktop.systemd1.Scope', 'ControlGroup'];
    const [group] = await bus.call(SYSTEMD, path as string, face, 'ss', asked);
    const { value } = group as { value: unknown };
    if (typeof value !== 'string' || !value.startsWith('/') || value === '/')
      throw failure('SYSTEMD_FAILED', `systemd does not say which cgroup the unit ${unit} has`);
    return { group: value, release: holder.end };
  } catch (error) {
    holder.end();
    throw error;
  } finally {
    bus.close();
  }
}

/** Ends a scope, of which nothing may be left: that is as good. */
export async function stopScope(unit: string): Promise<void> {
  const bus = await connect();
  try {
    await runJob(bus, 'StopUnit', 'ss', [unit, 'replace']);
  } catch (error) {
    if (!/not loaded|No such|not found/i.test((error as Error).message)) throw error;
  } finally {
    bus.close();
  }
}

/** So that systemd knows of other limits too. */
export async function changeScope(unit: string, writes: readonly LimitWrite[]): Promise<void> {
  const properties = limitProperties(writes);
  if (properties.length === 0) return;
  const bus = await connect();
  try {
    const face = [FACE, 'SetUnitProperties'] as const;
    await bus.call(SYSTEMD, MANAGER, face, 'sba(sv)', [unit, true, properties]);
  } finally {
    bus.close();
  }
}

const SYSTEMD = 'org.freedesktop.systemd1';
const MANAGER = '/org/freedesktop/systemd1';
const FACE = 'org.freedesktop.systemd1.Manager';
const BUS = ['org.freedesktop.DBus', '/org/freedesktop/DBus'] as const;

/** Calls what starts a job, and waits for that. */
async function runJob(bus: Bus, member: string, signature: string, values: unknown[]): Promise<void> {
  const ended: Message[] = [];
  const isEnd = (message: Message) => message.kind === 'signal' && message.member === 'JobRemoved';
  let job: unknown;
  // It may have ended before the call is answered.
  const collect = bus.wait((message) => {
    if (isEnd(message)) ended.push(message);
    return job !== undefined && ended.some(({ body }) => body[1] === job);
  }, `the end of ${member}`);
  collect.catch(() => {});
  [job] = await bus.call(SYSTEMD, MANAGER, [FACE, member], signature, values);
  if (!ended.some(({ body }) => body[1] === job)) await collect;
  const result = ended.find(({ body }) => body[1] === job)?.body[3];
  if (result !== 'done') throw failure('SYSTEMD_FAILED', `systemd: ${member} ${values[0]}: ${result}`);
}

/** @throws {TsboxError} NO_SYSTEMD */
async function connect(): Promise<Bus> {
  // sd_booted(3)
  if (!existsSync('/run/systemd/system'))
    throw failure(
      'NO_SYSTEMD',
      '--systemd-cgroup: systemd does not run here',
      'use the cgroupfs driver of the engine: podman --cgroup-manager cgroupfs, SystemdCgroup = false, native.cgroupdriver=cgroupfs',
    );
  let bus: Bus;
  try {
    bus = await Bus.open('/run/dbus/system_bus_socket');
  } catch {
    // Where there is no bus, systemd itself listens for root. It speaks to whoever comes, and sends all its signals.
    bus = await Bus.open('/run/systemd/private');
    await bus.call(SYSTEMD, MANAGER, [FACE, 'Subscribe']);
    return bus;
  }
  await bus.call(...BUS, ['org.freedesktop.DBus', 'Hello']);
  const rule = `type='signal',sender='${SYSTEMD}',interface='${FACE}',member='JobRemoved'`;
  await bus.call(...BUS, ['org.freedesktop.DBus', 'AddMatch'], 's', [rule]);
  await bus.call(SYSTEMD, MANAGER, [FACE, 'Subscribe']);
  return bus;
}
