import { statSync } from 'node:fs';
import { named, type Slot, type Step } from '../launch/index.ts';
import { enterRoot, forgetHost, type HostView, returnToHost, uncoverHostProc } from './before-pivot.ts';
import { copyUp } from './copy-up.ts';
import { acquireHostDevice, allDevices, makeNodes, populateDev } from './devices.ts';
import { hasEarlyHooks, keptWhileWaiting, runEarlyHooks, waitForStart } from './held.ts';
import { dropPrivileges } from './identity.ts';
import {
  acquireMasks,
  attachMasks,
  attachReadonlyPaths,
  chooseCovers,
  type Mask,
  pathsOfCovers,
} from './masks.ts';
import { acquireBind, acquireFileSystem, acquireMount, isBind } from './mount-acquire.ts';
import { Attacher } from './mount-attach.ts';
import { parseMountOptions } from './mount-options.ts';
import { has, hasOwn } from './namespaces.ts';
import { askForNetwork, joinNetwork, splitSysctls, waitForNetwork } from './network-steps.ts';
import { dieWithParent } from './parent-death.ts';
import type { PlanInput } from './plan-input.ts';
import { enterDirectory, execProgram, openTerminal, placeStdio } from './program.ts';
import {
  acquireDirectory,
  acquireOverlay,
  coverHostProc,
  detachPropagation,
  makeRootReadonly,
  pivot,
  propagateRoot,
} from './rootfs.ts';
import { schedule } from './schedule.ts';
import * as settings from './settings.ts';
import type { Mount, Spec } from './spec.ts';
import { Stage } from './stage.ts';
import { mapOwners } from './user-namespace.ts';

/** Where the reaper of `--init` is in the container. */
export const INIT_PATH = '/dev/init';

/** A detached mount and where it will go. */
interface Acquired {
  fd: Slot;
  path: string;
  file: boolean;
  /** A /dev of our own, to be filled before anybody sees it. */
  dev: boolean;
  followLink: boolean;
}

/** What the container's process does, and, in `hostSteps`, what must be done before by somebody who is root on the host. */
export function buildContainer(
  input: PlanInput,
  userns: Slot | undefined,
  maps: ReadonlyMap<Mount, Slot> = new Map(),
): { steps: Step[]; hostSteps: Step[] } {
  const steps: Step[] = [];
  const hostSteps: Step[] = [];
  arrive(new Stage(steps, 'Arrive'), input, userns !== undefined);
  const host = new Stage(userns ? hostSteps : steps, 'Acquire');
  const own = new Stage(steps, 'Acquire');
  const { held } = input;

  // Bind sources first: once propagation is cut, a volume that is to be shared with the host could not be any more.
  const binds = new Map(
    input.spec.mounts.flatMap((mount) => {
      const view = isBind(mount) ? mount : sharedCgroup(mount, input);
      return view === undefined ? [] : [[mount, acquireMount(host, view, maps.get(mount))]];
    }),
  );
  const devices = userns
    ? allDevices(input.spec).map((device) => ({ device, fd: acquireHostDevice(host, device) }))
    : [];
  const init = input.init === undefined ? undefined : acquireInit(host, input.init);
  detachPropagation(host);
  if (userns) detachPropagation(own);
  if (input.networkNamespace !== undefined) joinNetwork(own, input.networkNamespace);
  // With a user namespace it could not go back to the host: then hooks come before all mounts, not after them.
  const early = held && hasEarlyHooks(held) && (userns !== undefined || input.overlay !== undefined);
  if (early) runEarlyHooks(steps, held, input.ready);
  const { rootfs, directory } = acquireRootfs(host, input, userns);
  const acquired = input.spec.mounts.map((mount) => {
    const fd = binds.get(mount) ?? acquireMount(own, mount, maps.get(mount));
    const copies = input.copies?.get(mount);
    if (copies) copyUp(own, fd, copies);
    return toAttach(mount, fd);
  });
  const proc = acquired.find(({ path }) => path === '/proc')?.fd;
  const { files, masks, covered } = provide(host, own, input);

  const entering = new Stage(steps, 'Pivot');
  let view: HostView | undefined;
  if (held && hasEarlyHooks(held) && !early && directory) {
    if (covered) uncoverHostProc(entering);
    view = enterRoot(entering, rootfs, directory);
  } else pivot(entering, rootfs, input.noPivot);

  const attaching = new Stage(steps, 'Attach');
  const attacher = new Attacher(attaching);
  const attach = (mount: Acquired) => {
    if (mount.dev) populateDev(attaching, mount.fd, userns ? [] : allDevices(input.spec));
    attacher.attach(mount.fd, mount.path, mount);
  };
  // proc last of all. Its links (/proc/self/fd/7, or with the host's processes /proc/1/root) are the only ones that lead out of the new root,
  // and as long as it is not there, no symlink of the image can use them to have something made on the host (CVE-2024-21626).
  for (const mount of acquired) if (!isInProc(mount.path)) attach(mount);
  for (const { device, fd } of devices) attacher.attach(fd, device.path, { file: true, followLink: false });
  if (!userns) makeNodes(attaching, attacher, allDevices(input.spec));
  if (init) attacher.attach(init, INIT_PATH, { file: true, followLink: false });
  for (const { fd, path } of files) attacher.attach(fd, path, { file: true, followLink: true });
  for (const path of input.directories ?? [])
    if (!isInProc(path)) attacher.directory(path, 'a volume of the image');
  if (!isInProc(input.spec.process.cwd)) attacher.directory(input.spec.process.cwd, 'the working directory');
  for (const mount of acquired) if (isInProc(mount.path)) attach(mount);

  if (held && view) {
    runEarlyHooks(steps, held, input.ready, view);
    const pivoting = new Stage(steps, 'Pivot');
    returnToHost(pivoting, view);
    pivot(pivoting, rootfs, input.noPivot);
    forgetHost(pivoting, view);
  }

  finish(input, proc, masks, steps);
  return { steps, hostSteps };
}

function arrive(stage: Stage, input: PlanInput, mapped: boolean): void {
  if (input.held && input.held.preserve > 0)
    stage.call('dup3', [input.held.third, 3, 0], 'the plan is not needed there any more');
  if (input.held)
    stage.call('write', [input.ready, '.', 1], 'unless who makes it is dead already: then this fails');
  else dieWithParent(stage, input, 'if tsbox dies it dies');
  if (input.networkSocket !== undefined) askForNetwork(stage, input.networkSocket);
  stage.call('setsid', [], 'a session of its own: Ctrl-C on our terminal is not for it');
  settings.resetSignals(stage);
  const { process, linux } = input.spec;
  // These two before the ids change: then the files in /proc of a process that shares tsbox's memory are the host root's (proc(5)).
  if (process.oomScoreAdj !== undefined) settings.setOomScore(stage, process.oomScoreAdj);
  if (hasOwn(linux, 'time')) settings.enterTimeNamespace(stage, linux.timeOffsets ?? {});
  if (mapped) {
    stage.call('setgroups', [0, null], 'no group of ours');
    stage.call('setresgid', [0, 0, 0], "the new namespace's root");
    stage.call('setresuid', [0, 0, 0], "the new namespace's root");
    if (!input.held) dieWithParent(stage, input, 'again: the new ids cleared it');
  }
  if (hasOwn(linux, 'cgroup')) {
    stage.call(
      'unshare',
      [named('CLONE_NEWCGROUP', 0x2000000)],
      'its own cgroup is the root of what it sees',
    );
  }
  if (!input.keepKeyring) settings.newKeyring(stage, input.id);
}

function acquireRootfs(
  stage: Stage,
  input: PlanInput,
  userns: Slot | undefined,
): { rootfs: Slot; directory?: Slot } {
  const { overlay } = input;
  if (overlay === undefined) return acquireDirectory(stage, input.spec.root.path);
  if (userns) for (const layer of overlay.layers) mapOwners(stage, layer, userns);
  return { rootfs: acquireOverlay(stage, overlay, input.kernel) };
}

/** The reaper's program, through a mount that nobody can write through: /proc/1/exe leads to it (CVE-2019-5736). */
function acquireInit(stage: Stage, path: string): Slot {
  const options = ['bind', 'ro', 'nosuid', 'nodev'];
  return acquireBind(
    stage,
    { destination: INIT_PATH, source: path, options },
    parseMountOptions(INIT_PATH, options),
  );
}

/**
 * Who is in the host's cgroup namespace is shown the host's own mount of cgroups. A new one would set the flags of the hierarchy for the whole host,
 * nsdelegate and memory_recursiveprot among them (apply_cgroup_root_flags in kernel/cgroup/cgroup.c), and from 6.18 on waits 8 to 24 ms for RCU.
 */
function sharedCgroup(mount: Mount, { spec, cgroup }: PlanInput): Mount | undefined {
  const isCgroup = mount.type === 'cgroup' || mount.type === 'cgroup2';
  if (!isCgroup || cgroup?.mountPoint === undefined || has(spec.linux, 'cgroup')) return undefined;
  return { ...mount, type: 'bind', source: cgroup.mountPoint };
}

function toAttach(mount: Mount, fd: Slot): Acquired {
  const kernelPlace = KERNEL_PLACES.has(mount.destination);
  return {
    fd,
    path: mount.destination,
    // Asked of the host at the time of planning; if it changes until then, attaching fails and says so.
    file: isBind(mount) && isFile(mount),
    dev: mount.destination === '/dev' && mount.type === 'tmpfs',
    followLink: !kernelPlace,
  };
}

function isFile({ source = '' }: Mount): boolean {
  return statSync(source, { throwIfNoEntry: false })?.isDirectory() === false;
}

/** What a plan depends on besides its input: which kinds of file some paths of the host are. */
export function hostFacts({ spec }: Pick<PlanInput, 'spec'>): unknown {
  return [chooseCovers(spec.linux.maskedPaths ?? []), spec.mounts.filter(isBind).map(isFile)];
}

/** The paths that `hostFacts` looks at: where none of them has become something else, it gives the same. */
export function pathsOfHostFacts({ linux, mounts }: Spec): string[] {
  return [
    ...pathsOfCovers(linux.maskedPaths ?? []),
    ...mounts.filter(isBind).map(({ source = '' }) => source),
  ];
}

function isInProc(path: string): boolean {
  return path === '/proc' || path.startsWith('/proc/');
}

/** Places that later steps and the container's programs take for the kernel's: never somewhere that a symlink of the image leads to. */
const KERNEL_PLACES = new Set([
  '/proc',
  '/sys',
  '/dev',
  '/dev/pts',
  '/dev/shm',
  '/dev/mqueue',
  '/sys/fs/cgroup',
]);

/** What the container sees that is neither the image's nor the host's: the provided files, and what covers the masked paths. */
function provide(
  host: Stage,
  own: Stage,
  input: PlanInput,
): { files: { fd: Slot; path: string }[]; masks: Mask[]; covered: boolean } {
  const taken = new Set(input.spec.mounts.map((mount) => mount.destination));
  const wanted = input.files.filter((file) => !taken.has(file.path));
  const shown = wanted.flatMap(({ path, source }) =>
    source === undefined ? [] : [{ path, fd: acquireHostFile(host, path, source) }],
  );
  const written = wanted.filter(({ source }) => source === undefined);
  const covers = chooseCovers(input.spec.linux.maskedPaths ?? []);
  if (written.length === 0 && covers.every(({ kind }) => kind === 'file'))
    return { files: shown, masks: acquireMasks(host, own, covers, undefined), covered: false };
  const options = parseMountOptions('', ['nosuid', 'nodev', 'noexec', 'size=1m', 'mode=755']);
  const fileSystem = acquireFileSystem(own, 'tmpfs', options, 'tsbox');
  coverHostProc(own, fileSystem);
  const files = [...shown, ...settings.writeFiles(own, fileSystem, written)];
  const masks = acquireMasks(host, own, covers, fileSystem);
  return { files, masks, covered: true };
}

/** A file of the host's that it may write to, but not run. */
function acquireHostFile(stage: Stage, destination: string, source: string): Slot {
  const options = ['bind', 'nosuid', 'nodev', 'noexec'];
  return acquireBind(stage, { destination, source, options }, parseMountOptions(destination, options));
}

function finish(input: PlanInput, proc: Slot | undefined, masks: Mask[], steps: Step[]): void {
  const { spec } = input;
  const { process, linux } = spec;
  const setting = new Stage(steps, 'Settings');
  settings.setNames(setting, spec);
  if (hasOwn(linux, 'network')) settings.raiseLoopback(setting);
  const { networkSocket } = input;
  const [early, late] = splitSysctls(linux.sysctl ?? {}, networkSocket !== undefined);
  if (proc) settings.writeSysctls(setting, proc, early);
  const terminal =
    'terminalSocket' in input.stdio
      ? openTerminal(setting, new Attacher(setting), input.stdio, process.user.uid)
      : undefined;
  if (networkSocket !== undefined) waitForNetwork(new Stage(steps, 'Network'), networkSocket);
  if (proc) settings.writeSysctls(setting, proc, late);

  const hiding = new Stage(steps, 'Hide');
  attachMasks(hiding, masks);
  attachReadonlyPaths(hiding, linux.readonlyPaths ?? []);
  if (linux.rootfsPropagation) propagateRoot(hiding, linux.rootfsPropagation);
  if (spec.root.readonly) makeRootReadonly(hiding);

  const becoming = new Stage(steps, 'Become the program');
  const keep = input.held ? keptWhileWaiting(input.held, input.ready) : input.ready;
  placeStdio(becoming, 'terminalSocket' in input.stdio ? (terminal as Slot) : input.stdio, keep);
  enterDirectory(becoming, process.cwd);
  settings.setRlimits(becoming, process.rlimits);
  if (linux.personality) settings.setPersonality(becoming, linux.personality);
  if (process.scheduler || process.ioPriority) schedule(becoming, process);
  if (process.apparmorProfile) settings.setAppArmor(becoming, process.apparmorProfile);
  if (input.held) {
    waitForStart(steps, input, input.held);
    return;
  }
  dropPrivileges(becoming, process, input.seccomp);
  execProgram(becoming, process, input.init === undefined ? undefined : INIT_PATH);
}
